# Who this is about, and where its live state is read.

organization "acme" {
  system = "claude-enterprise"

  # A typing error in a key must never change somebody else's organization:
  # a live id that differs from this one is an error.
  id = "3c4f5e6d-7a8b-49c0-9d1e-2f3a4b5c6d7e"

  provisioning          = "invite"
  connector_permissions = "on"
  billing               = "usage"
  invites               = "report"

  # The emulator puts a change in force at once. In a real organization it takes
  # minutes: leave this line out there, and the documented times are used.
  settle = "1s"

  # Plays claude.ai on this machine: no key, no network. For the real thing,
  # replace this line with key_env = "ANTHROPIC_ADMIN_KEY".
  api {
    emulator = "acme.org.json"
  }

  # What no block describes is never changed, only mentioned in the plan.
  unmanaged {
    roles  = "report"
    groups = "report"
  }
}

variable "contractor_domain" {
  type        = string
  default     = "northwind.agency"
  description = "Whoever has an address here works for us, but not at Acme."
}

locals {
  # Look after the groups that cut across departments.
  access_team = ["kwame@acme.com", "priya@acme.com"]
}
