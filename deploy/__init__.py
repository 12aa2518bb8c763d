"""How Tandem is put to work: `local` on one machine.

Never imported by a service.
"""
