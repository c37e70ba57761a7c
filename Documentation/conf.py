# SPDX-License-Identifier: GPL-2.0
# For Sphinx: see scripts/docs. The kernel-doc directive is the kernel's own, and
# lies where tests/qemu/kernels has put it.
import os
import re
import sys

from docutils import nodes

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
KERNEL = os.path.join(CACHE, "kiobuf", "checkpatch")

sys.path.insert(0, os.path.join(KERNEL, "Documentation", "sphinx"))

project = "kiobuf"
extensions = ["kerneldoc"]
root_doc = "index"
primary_domain = "c"
highlight_language = "none"
html_theme = "alabaster"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {"page_width": "72em", "sidebar_width": "15em"}

kerneldoc_bin = os.path.join(KERNEL, "scripts", "kernel-doc")
kerneldoc_srctree = TOP
kerneldoc_verbosity = 1


def link_pages(app, doctree):
    """Pages link each other as files, which is right where the source is read."""
    for ref in doctree.findall(nodes.reference):
        uri = ref.get("refuri", "")
        if re.fullmatch(r"[a-z]+\.rst", uri):
            if not os.path.exists(os.path.join(app.srcdir, uri)):
                raise ValueError("no page %s" % uri)
            ref["refuri"] = uri[:-4] + app.builder.out_suffix


def setup(app):
    app.connect("doctree-read", link_pages)
