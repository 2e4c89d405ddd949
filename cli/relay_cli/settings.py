"""`relay config`: the configuration and its sources."""

import typer

from relay_cli.command import Session, command

app = typer.Typer(help="The configuration of this command: show.", no_args_is_help=True)


@command(app, "show")
def show_config(session: Session) -> None:
    """Show the URL and the key, and the source of each. The key is masked."""
    config = session.config
    key = str(config.key) if config.key else None
    aws = config.aws
    if session.screen.json:
        session.screen.document(
            {
                "url": {"value": config.url, "from": config.url_from or None},
                "key": {"value": key, "from": config.key_from or None},
                "file": str(config.file.path) if config.file else None,
                "aws": {"stack": aws.stack, "endpoint": aws.endpoint} if aws else None,
            }
        )
        return
    rows = [("url", config.url or "not set", config.url_from)]
    rows.append(("key", key or "not set", config.key_from))
    if aws and config.file:
        rows.append(("aws", aws.stack or aws.endpoint or "your own", str(config.file.path)))
    session.screen.table(("SETTING", "VALUE", "FROM"), rows)
    if config.no_key:
        session.screen.note(config.no_key)
