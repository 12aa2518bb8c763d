"""What an operator runs beside the services, with their rights: `tandem doctor`, `tandem support-bundle`, `tandem
forget-person`, and the reference of the settings. `tandem` loads its commands by name; no service imports it.
"""
