feature "chat" {
  enabled = true
}

feature "web_search" {
  enabled = true
}

feature "memory" {
  enabled = true
  action  = "saffron"
  setting = "memory_enabled"
}

# Off so far, and switched on last: whoever is not migrated by then would have them too.
feature "claude_code" {
  enabled = true
}

feature "cowork" {
  enabled = true
}
