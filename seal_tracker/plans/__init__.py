"""What journeys are judged by: a plan folder read, checked and made one immutable plan. Pure but for `folder`."""

from seal_tracker.plans.folder import load_files, load_folder
from seal_tracker.plans.model import Authorisation, Equipment, Journey, Plan, Unit

__all__ = ["Authorisation", "Equipment", "Journey", "Plan", "Unit", "load_files", "load_folder"]
