"""The workflows of this worker: every `Workflow` in a module of this folder. A new workflow is one more file."""

import importlib
import pkgutil

from worker.runtime import Workflow, Workflows


def discover_workflows() -> Workflows:
    """Import this folder's modules and return their workflows."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return Workflows(value for module in modules for value in vars(module).values() if isinstance(value, Workflow))


WORKFLOWS = discover_workflows()
