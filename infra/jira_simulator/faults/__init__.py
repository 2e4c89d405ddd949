"""What may come between a call of the REST API and its answer.

A list of faults holds for one site or for all. Each fault is of a kind, and a kind is a class: its
name, the schema of its parameters, and its effect. Before a call is carried out, every fault that
is drawn for it writes its effect into the call's `Course`.
"""

from .connections import CONNECTION, Unanswered
from .fault import Course
from .lists import Faults

__all__ = ["CONNECTION", "Course", "Faults", "Unanswered"]
