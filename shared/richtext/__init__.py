"""Rich text between Jira (ADF on Cloud, wiki markup on Data Center) and Craft.io (HTML). Pure.

`forms` is what others use: normal forms, `same`, `equivalent`, `carry`, `words`, `plain`. Under it: `model`, a reader
and a writer for each language (`adf`, `wiki`, `html`), `canonical` (what a person can tell apart), `readable` (what a
node is in words), `alike` (what means the same on both sides), `merge` with `align` and `weave` (what stays as it is).
ADR 0010.
"""
