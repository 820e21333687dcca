-- Children before their parents.

DROP TABLE `agent_summaries`;
DROP TABLE `user_summaries`;
DROP TABLE `user_activity`;
DROP TABLE `performance_metrics`;
DROP TABLE `session_analytics`;
