# Departments that need more than the standard role. Sales, finance, people and
# legal do not, so they have no group: a group without a role gives nothing.
#
# A list is complete: who is not on it is taken out of the group.

group "engineering" {
  name  = "Engineering"
  roles = [role.claude_code, role.jira_power]

  members = [
    "amara@acme.com",
    "bao@acme.com",
    "chiara@acme.com",
    "dmitri@acme.com",
    "elif@acme.com",
    "farid@acme.com",
    "greta@acme.com",
    "hiroshi@acme.com",
    "ines@acme.com",
    "jamal@acme.com",
    "katya@acme.com",
    "liam@acme.com",
    "mei@acme.com",
    "nikhil@acme.com",
    "pilar@acme.com",
    "seun@acme.com",
    "tomasz@acme.com", # an owner of the organization: listed, never migrated
  ]

  # Shown in the plan as required approvers of a change to this group.
  owners = ["tomasz@acme.com", "chiara@acme.com"]
}

group "data" {
  name  = "Data"
  roles = [role.claude_code]

  members = [
    "quentin@acme.com",
    "rosa@acme.com",
    "sanjay@acme.com",
    "tala@acme.com",
    "ulrich@acme.com",
    "vera@acme.com",
  ]

  owners = ["rosa@acme.com"]
}

group "design" {
  name  = "Design"
  roles = [role.cowork]

  members = [
    "aroha@acme.com",
    "wen@acme.com",
    "xochitl@acme.com",
    "yuki@acme.com",
    "zainab@acme.com",
  ]
}

# This group is live already. It is found by its exact name and taken over as it
# is: Gabriel joins, Hana, who has gone to sales, leaves, the others stay.
group "marketing" {
  name  = "Marketing"
  roles = [role.cowork]

  members = [
    "bianca@acme.com",
    "cedric@acme.com",
    "daniela@acme.com",
    "emeka@acme.com",
    "freya@acme.com",
    "gabriel@acme.com",
  ]

  owners = ["bianca@acme.com"]
}

group "support" {
  name  = "Support"
  roles = [role.jira_power]

  members = [
    "aisha@acme.com",
    "bjorn@acme.com",
    "camila@acme.com",
    "dev@acme.com",
    "esther@acme.com",
    "finn@acme.com",
    "giulia@acme.com",
  ]

  owners = ["camila@acme.com"]
}
