-- 1.2.0: figures of chats, users, agents and machines.

CREATE TABLE `session_analytics` (
  `id` VARCHAR(36) NOT NULL,
  `session_id` VARCHAR(36) NOT NULL,
  `total_messages` INT DEFAULT 0,
  `user_messages` INT DEFAULT 0,
  `agent_messages` INT DEFAULT 0,
  `total_tokens` INT DEFAULT 0,
  `total_processing_time_ms` INT DEFAULT 0,
  `satisfaction_score` DECIMAL(3,2),
  `feedback` TEXT,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_session_analytics_session_id` (`session_id`),
  KEY `idx_session_analytics_satisfaction_score` (`satisfaction_score`),
  CONSTRAINT `fk_session_analytics_session_id` FOREIGN KEY (`session_id`) REFERENCES `chat_sessions` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `performance_metrics` (
  `id` VARCHAR(36) NOT NULL,
  `metric_name` VARCHAR(100) NOT NULL,
  `metric_value` DECIMAL(10,4) NOT NULL,
  `unit` VARCHAR(20),
  `tags` JSON,
  `recorded_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_performance_metrics_metric_name` (`metric_name`),
  KEY `idx_performance_metrics_recorded_at` (`recorded_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `user_activity` (
  `id` VARCHAR(36) NOT NULL,
  `user_id` VARCHAR(36) NOT NULL,
  `action` VARCHAR(100) NOT NULL,
  `resource_type` VARCHAR(50),
  `resource_id` VARCHAR(36),
  `metadata` JSON,
  `ip_address` VARCHAR(45),
  `user_agent` TEXT,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_user_activity_user_id` (`user_id`),
  KEY `idx_user_activity_action` (`action`),
  KEY `idx_user_activity_created_at` (`created_at`),
  CONSTRAINT `fk_user_activity_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `user_summaries` (
  `user_id` VARCHAR(36) NOT NULL,
  `total_sessions` INT DEFAULT 0,
  `total_messages` INT DEFAULT 0,
  `last_activity_at` TIMESTAMP NULL,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`user_id`),
  CONSTRAINT `fk_user_summaries_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `agent_summaries` (
  `agent_id` VARCHAR(36) NOT NULL,
  `total_sessions` INT DEFAULT 0,
  `total_messages` INT DEFAULT 0,
  `average_satisfaction` DECIMAL(3,2),
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`agent_id`),
  CONSTRAINT `fk_agent_summaries_agent_id` FOREIGN KEY (`agent_id`) REFERENCES `ai_agents` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
