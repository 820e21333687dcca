import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // CI has two cores; by default one would be left alone.
    maxWorkers: 2,
    // What a passing test prints (the SDK's remarks, mostly) helps nobody.
    silent: "passed-only",
    // Browsers, killed processes and broken connections on two busy cores: what is really broken fails twice.
    retry: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
  },
});
