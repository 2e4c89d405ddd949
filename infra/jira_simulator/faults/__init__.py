"""What may come between a call of the REST API and its answer.

The one place for faults. A list of them holds for one site or for all; each fault in it is of a
kind, and a kind is a class: its name, the schema of its parameters, and what it does to a call.
Before a call is carried out, every fault that falls on it writes itself into the call's `Course`.
"""

from .course import Course
from .lists import Faults
from .unanswered import CONNECTION, Unanswered

__all__ = ["CONNECTION", "Course", "Faults", "Unanswered"]
