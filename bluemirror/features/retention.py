"""What is kept of computed values, and for how long: feature partitions are a cache with a stated policy."""

from __future__ import annotations

import shutil

from bluemirror.features.manifest import MANIFEST, read_manifest
from bluemirror.workspace import Workspace


def forget_unread(workspace: Workspace) -> tuple[str, ...]:
    """Remove what no registered version reads: values and declarations of former meanings; names of what went.

    Declarations that a training set names are kept with it.
    """
    from bluemirror.features.services import read_services
    from bluemirror.variables.kept import forget_declarations

    services = read_services(workspace)
    read = {service.declared for service in services}
    gone = []
    for folder in sorted(workspace.former_variables.glob("[!.]*")):
        if folder.name not in read:
            shutil.rmtree(folder)
            gone.append(folder.name)
    sets = [read_manifest(path) for path in sorted(workspace.training_sets.glob(f"*/{MANIFEST}"))]
    forget_declarations(workspace, read | {one.declared for one in sets})
    return tuple(gone)
