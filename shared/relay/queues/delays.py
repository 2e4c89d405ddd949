"""How long messages wait, in seconds."""

# The longest delay of an SQS message.
DELAY_MAX = 900
# Every call and delivery that was under way has ended by then: a replayer has two minutes, and a
# call of the API half a minute.
UNDER_WAY = 180
