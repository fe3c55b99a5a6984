# Custom roles. Roles add up: a member has what any of their roles gives, and
# the most permissive one wins.

# What everybody has.
role "base" {
  name         = "Base"
  capabilities = ["chat", "web_search"]

  # The level for every connector that the role does not name: always_allow,
  # needs_approval, blocked, or custom, which adds nothing.
  connector_default = "needs_approval"
}

# Something on top. connector_default = "custom", because an additional role
# must not open every connector by the way.
#
# role "developers" {
#   name              = "Developers"
#   capabilities      = ["claude_code"]
#   connector_default = "custom"
# }
