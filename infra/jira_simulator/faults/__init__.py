"""What may come between a call of the REST API and its answer.

A list of faults holds for one site or for all; each fault in it is of a kind, and a kind is a
class: its name, the schema of its parameters, and what it does to a call. Before a call is carried
out, every fault that falls on it writes itself into the call's `Course`.
"""

from .fault import Course
from .lists import Faults
from .transport import CONNECTION, Unanswered

__all__ = ["CONNECTION", "Course", "Faults", "Unanswered"]
