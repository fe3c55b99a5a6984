# A base role for all, and one additional role for each kind of team. The
# additional ones say "custom", so that they open no connector by default.

role "contributor" {
  name              = "Contributor"
  description       = "What everybody has."
  capabilities      = ["chat", "web_search"]
  connector_default = "needs_approval"
}

role "collaborator" {
  name              = "Collaborator"
  description       = "Working teams: memory and Cowork."
  capabilities      = ["memory", "cowork"]
  connector_default = "custom"
}

role "developer" {
  name              = "Developer"
  description       = "Teams that write code: memory and Claude Code."
  capabilities      = ["memory", "claude_code"]
  connector_default = "custom"
}

role "triager" {
  name              = "Triager"
  description       = "Large forums: memory, and the tracker without being asked."
  capabilities      = ["memory"]
  connector_default = "custom"

  connector "tracker" {
    access = "always_allow"
  }
}

role "writer" {
  name              = "Writer"
  description       = "Documentation: memory, Cowork, and the pages without being asked."
  capabilities      = ["memory", "cowork"]
  connector_default = "custom"

  connector "docs" {
    access = "always_allow"
  }
}

role "releaser" {
  name              = "Releaser"
  description       = "Release teams: memory, Claude Code, and jobs without being asked."
  capabilities      = ["memory", "claude_code"]
  connector_default = "custom"

  connector "ci" {
    tools = {
      read_log  = "always_allow"
      rerun_job = "always_allow"
    }
  }
}
