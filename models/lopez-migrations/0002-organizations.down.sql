-- Children before their parents.

DROP TABLE `subscriptions`;
DROP TABLE `enterprise_agents`;
DROP TABLE `organization_members`;
DROP TABLE `organizations`;
