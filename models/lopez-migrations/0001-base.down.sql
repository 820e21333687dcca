-- Children before their parents.

DROP TABLE `audit_logs`;
DROP TABLE `system_logs`;
DROP TABLE `api_keys`;
DROP TABLE `password_reset_tokens`;
DROP TABLE `login_attempts`;
DROP TABLE `refresh_tokens`;
DROP TABLE `chat_messages`;
DROP TABLE `chat_sessions`;
DROP TABLE `ai_agents`;
DROP TABLE `user_profiles`;
DROP TABLE `users`;
