organization "acme" {
  system                = "claude-enterprise"
  id                    = "12345678-1234-5678-1234-567812345678" # optional; a different live id is an error
  provisioning          = "invite"   # invite | jit | jit_mapped | scim | scim_mapped (= login_only, jit_permissive, jit_advanced, scim_permissive, scim_advanced)
  connector_permissions = "on"       # on | off: off means no connector steps, and connector blocks in roles are an error
  billing               = "usage"    # usage | seats: under seats, spend blocks are an error
  spend_precedence      = "lowest"   # lowest | highest: which of several group limits wins
  settle                = "15m"      # cap on the wait for a change to be in force (per kind of change the documented time is used if it is shorter)
  invites               = "report"   # report | send: listed people who are not members yet

  api {                              # all optional
    endpoint           = "https://api.anthropic.com"   # ROLECALL_ENDPOINT overrides; variables of other tools are not read by accident
    key_env            = "ANTHROPIC_ADMIN_KEY"
    compliance_key_env = ""          # a second key where the vendor wants the compliance scopes apart
    key_command        = []          # instead of key_env: a command that prints the key
    # emulator         = "acme.org.json"  # instead of endpoint: the embedded emulator, seeded from this file; its live copy is kept in .rolecall/
  }

  unmanaged {                        # live objects that no block describes. They are always read and always count in the analysis
    roles   = "report"               # ignore (no findings) | report (default) | remove (counted by the guards)
    groups  = "report"
    members = "ignore"
    invites = "ignore"
    limits  = "ignore"               # individual spend limits that no member block and no enforced group explains
  }

  spend_limit {                      # default for members without any other; console
    monthly = "100.00"
  }
  spend_ceiling {                    # hard ceiling of the whole organization; console
    monthly = "50000.00"
  }
}

seat_tier "chat" {                   # seats can be neither read nor written by API: declared here, or unknown and said so
  excludes = ["claude_code"]
  members  = ["ann@acme.com"]
  spend_limit {
    monthly = "100.00"               # console
  }
}

connector "jira" {
  id          = "mcpsrv_01AbC"       # the live connector id
  tools       = ["search_issues", "create_issue", "delete_issue"]
  policy      = "always_allow"       # organization-wide tool policy: the ceiling
  tool_policy = { delete_issue = "blocked" }
}

connector "slack" {
  id = "mcpsrv_01DeF"
}

feature "cowork" {                   # organization-level toggle; the label is the capability's name
  enabled = true
}

feature "memory" {                   # the vendor publishes neither all action strings nor all setting names:
  enabled = true                     # known ones are built in as data, others are given here
  action  = "saffron"                # what the API calls the capability in role permissions (default: the label)
  setting = "memory_enabled"         # its row in the effective settings (default: <label>_enabled); "" = cannot be read
}

role "standard" {
  name              = "Standard Access"          # default: the label
  previous_names    = ["Base"]                   # a rename, not a delete and a create
  description       = "What everybody has."
  capabilities      = ["chat", "web_search", "memory"]      # or ["all"], ["all_ga"]
  admin_permissions = { billing = "view" }       # identity_access, billing, analytics, privacy, user_management, libraries, directory = view | manage
  connector_default = "needs_approval"           # the "All connectors" row: always_allow | needs_approval | blocked | custom
  connector "slack" {
    access = "always_allow"
  }
  connector "jira" {
    tools = { search_issues = "needs_approval" } # per tool: tools not named are blocked. access and tools in one block is an error
  }
}

role "cowork" {
  capabilities      = ["cowork"]
  connector_default = "custom"                   # adds nothing: an additive role must not open every connector by default
}

group "all_users" {
  name    = "All Users"
  roles   = [role.standard]
  members = everyone
}

group "pilot" {
  roles   = [role.standard, role.cowork]
  members = ["jane@acme.com", "raj@acme.com"]
  owners  = ["lead@acme.com"]                    # who should approve changes to it; shown in the plan as required approvers
  spend_limit {
    monthly = "200.00"                           # major units; or unlimited = true, or inherit = true (no limit of its own)
    enforce = "console"                          # console: a group limit, set by hand | members: an individual limit for each member, by API
  }
  plugin "lint-kit" {
    install = "required"                         # required | auto_install | available | not_available | inherit
  }
  temporary "ann@acme.com" {                     # a membership that ends by itself: planned out from that day, 00:00 UTC
    until  = "2027-01-31"
    reason = "Launch support"
  }
}

group "contractors" {
  roles   = [role.standard]
  members = domain("vendor.com")
}

group "engineering" {
  source = "scim"                                # the identity provider owns name and members; roles and limits are managed here
  roles  = [role.standard]
}

plugin "lint-kit" {
  id      = "plugin_01XyZ"
  install = "available"                          # organization-wide setting, or "inherit"
}

member "jane@acme.com" {
  previous_emails = ["jane@old-acme.com"]
  spend_limit {
    monthly = "750.00"                           # individual limit: overrides every group; or unlimited, or inherit
  }
}

member "old@acme.com" {
  remove = true
}

migration {                                      # moves members to organization role "managed" ("Custom roles"), wave by wave
  wave "pilot" {
    groups = [group.pilot]
  }
  wave "everyone" {
    members = everyone                           # groups and members, except takes some out
    except  = ["auditor@acme.com"]
    state   = "closed"                           # open (default) | closed: shown as held, not applied | reverted: back to "user"
  }
}

role_mapping "okta-engineering" {                # only under *_mapped provisioning, where the identity provider decides: console
  role = "managed"
}

guard {                                          # a plan over a guard is blocked. These values are also the defaults
  max_members_losing_access = "5%"               # number or share of members, outside of what open waves and accepted risks explain
  max_removals              = 25                 # memberships, groups, roles, members taken away
  max_group_shrink          = "50%"              # of any single group; a group that would be emptied always counts
  max_spend_increase        = "20%"              # of the sum of finite effective monthly limits; finite to unlimited always counts
  protected                 = []                 # whoever is listed loses nothing: no access, no limit, no seat
  frozen                    = false              # true: plan only, apply refuses
}

accept "guard.max_removals" {                    # one risk at a time, by name, reviewed like everything else; also accept "<rule id>"
  up_to   = 60
  reason  = "Team split, ticket 4711"
  expires = "2026-12-15"
}

rule "cross-role-conflict" {                     # severity of a check: error | warning | info | off
  severity = "warning"
  ignore   = [connector.slack]
}

exclusive "tiers" {                              # nobody in two of these; required = true: everybody managed in exactly one
  groups   = [group.pilot, group.contractors]
  required = false
}

hold "incident-42" {                             # left exactly as it is: neither drift nor apply touches it until then
  objects = [group.pilot]
  until   = "2026-12-01"
  reason  = "Access cut during the incident"
}

test "contractors cannot write to Jira" {        # asserted against the desired state; a plan with a failing test is blocked
  who           = [group.contractors, "sam@vendor.com"]
  can           = ["capability.chat", "connector.jira.search_issues"]
  cannot        = ["connector.jira.delete_issue", "capability.claude_code"]
  at_most       = { "connector.jira.search_issues" = "needs_approval" }
  spend_at_most = { monthly = "100.00" }
}

removed {                                        # deletes what the block described (leaving a block out deletes nothing)
  from = group.old_team
  name = "Old team"
}

moved {                                          # for addresses and for_each keys; live names change by previous_names
  from = group.eng
  to   = group.engineering
}
