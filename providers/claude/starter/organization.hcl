# Which organization this is, and what decides what can be done in it.
#
# A plan reads, and cannot write. It takes the Admin API key from the variable
# ANTHROPIC_ADMIN_KEY; a plan needs read scopes only:
#
#   rolecall validate    checks these files, without a key
#   rolecall plan        says who would gain and lose what, and why
#   rolecall apply       carries it out, after asking

organization "my_company" {
  system = "claude-enterprise"

  # The organization's id, from its settings page. With it, a key of any other
  # organization is refused.
  # id = "12345678-1234-5678-1234-567812345678"

  # How people come in: invite, jit, jit_mapped, scim or scim_mapped.
  # provisioning = "invite"

  # What no API shows. These are the defaults.
  # connector_permissions = "on"     # or "off"
  # billing               = "usage"  # or "seats"
  # spend_precedence      = "lowest" # or "highest": which of several group limits wins
}

# Switches of the whole organization: off means that nobody has the feature,
# whatever their roles say. What no block describes stays as it is.
#
# feature "cowork" {
#   enabled = true
# }
