"""A site's admin area: shows the installed app's pages in a frame, as Jira and Forge do."""
