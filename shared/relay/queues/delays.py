"""How long messages wait, in seconds."""

# The longest delay of an SQS message.
DELAY_MAX = 900
# After this, every call and delivery that was under way has ended: a replayer has two minutes, and
# a call of the API half a minute.
DRAIN_SECONDS = 180
