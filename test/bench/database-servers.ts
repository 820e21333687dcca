// The servers of the tests, for benches.
export { noMariadb, noPostgres, startMariadb, startPostgres } from "../support/database-server.ts";
