# A feature is the organization-wide switch. Off means nobody has it. On means
# that a migrated member has it if a role of theirs says so, and that a member
# who is not migrated has it anyway.

feature "chat" {
  enabled = true
}

feature "web_search" {
  enabled = true
}

# The label is our name for a feature. action is what the API calls it in a
# role, setting is its row in the effective settings.
feature "memory" {
  enabled = true
  action  = "saffron"
  setting = "memory_enabled"
}

feature "code_execution" {
  enabled = true
  action  = "wiggle"
  setting = "code_execution_enabled"
}

feature "public_projects" {
  enabled = true
  action  = "public_projects"
  setting = "public_projects_enabled"
}

# These two are off today, and are switched on last, when everybody's access comes
# from a role. Switched on first, they would reach all 67 people for a while.
feature "claude_code" {
  enabled = true
}

feature "cowork" {
  enabled = true
}
