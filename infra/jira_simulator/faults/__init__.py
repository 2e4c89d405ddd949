"""Faults of calls of the REST APIs.

A list of faults applies to one site or to all. Each kind of fault is a class: its name, the schema
of its parameters, and its effect. Before a call is processed, every fault that is drawn for it
writes its effect into the call's `Course`.
"""

from .connections import CONNECTION, Unanswered
from .fault import Course
from .lists import Faults

__all__ = ["CONNECTION", "Course", "Faults", "Unanswered"]
