"""Table of contents of the feature store: every object is made from ``families/*.yaml`` and the contracts.

``feast apply`` and ``feast ui`` read this file; the library itself never imports it.
"""

from bluemirror.features import declare

globals().update(declare(__file__))
