organization "project" {
  system = "claude-enterprise"
  id     = "7d2b9c14-53e6-4f0a-8b71-c9e04a6d1f38"

  provisioning          = "invite"
  connector_permissions = "on"
  billing               = "usage"

  # The emulator puts a change in force at once; claude.ai takes minutes. Leave
  # this line out in a real organization.
  settle = "1s"

  api {
    emulator = "real-org.org.json"
  }
}

guard {
  # What the waves explain does not count. Beyond that, hardly anybody.
  max_members_losing_access = "1%"
  max_removals              = 25
  protected                 = local.owners
}
