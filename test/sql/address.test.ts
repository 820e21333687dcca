import { describe, expect, test } from "vitest";
import { addressText, databaseAddress } from "../../src/sql/address.ts";

const read = (url: string) => databaseAddress(url, "MAWPS_DATABASE_URL");

describe("the URL of a database", () => {
  test.each([
    [
      "mysql://u:p@db.example.com/site",
      { engine: "mysql", host: "db.example.com", port: 3306, database: "site", tls: "verified" },
    ],
    [
      "mariadb://u@db.example.com:3307",
      { engine: "mysql", port: 3307, database: undefined, password: undefined },
    ],
    ["postgresql://u:p@[2001:db8::1]:6432/site", { engine: "postgres", host: "2001:db8::1", port: 6432 }],
    ["postgres://u:p@[::1]/site", { host: "::1", port: 5432, tls: "off" }],
    ["postgres://u:p@127.0.0.1/site?sslmode=verify-full", { tls: "verified" }],
    ["mysql://u:p@db.example.com/site?sslmode=disable", { tls: "off" }],
    [
      "mysql://u:p@db.example.com/site?sslrootcert=/etc/ca.pem",
      { tls: "verified", authorities: "/etc/ca.pem" },
    ],
    [
      "mysql://u@localhost/site?socket=/run/mysqld/mysqld.sock",
      { host: "/run/mysqld/mysqld.sock", isSocket: true, tls: "off" },
    ],
    [
      "mysql://u:p@w:o/r?d#1%40@db.example.com/site",
      { user: "u", password: "p@w:o/r?d#1@", host: "db.example.com", database: "site" },
    ],
    ["mysql://u:100%@db.example.com/site", { password: "100%" }],
    ["mysql://u%3Av:p@db.example.com/my%2Fsite", { user: "u:v", database: "my/site" }],
    ["  mysql://u@db.example.com/site\n", { user: "u", database: "site" }],
    ["pglite:///home/u@x/store/crm", { engine: "postgres", folder: "/home/u@x/store", database: "crm" }],
  ])("%j", (url, parts) => {
    expect(read(url)).toMatchObject(parts);
  });

  test.each([
    ["", "no URL of a MySQL or PostgreSQL database"],
    ["http://u:secret@db.example.com/", "no URL of a MySQL or PostgreSQL database"],
    ["pglite://secret/crm", "no URL of a MySQL or PostgreSQL database"],
    ["mysql://:secret@db.example.com/site", "names no user"],
    ["mysql://u:secret@db.example.com:0/site", "names no host that can be understood"],
    ["mysql://u:secret@db example.com/site", "names no host that can be understood"],
    ["mysql://u:secret@db.example.com/site?sslmode=prefer", "none of disable, require, verify-full"],
    ["mysql://u:secret@db.example.com/site?ssl=true", "an option that is not known: ssl"],
    ["postgres://u:secret@/site?host=db.example.com", "an option that is not known: host"],
    ["postgres://u:secret@/site?socket=db.example.com", "a socket that is no path"],
    ["mysql://u:sec\nret@db.example.com/site", "a line break or another control character"],
  ])("%j is refused without a word of it", (url, why) => {
    let told = "";
    try {
      read(url);
    } catch (error) {
      told = String(error);
    }
    expect(told).toContain(why);
    expect(told).not.toContain("secret");
  });

  test("is told without user and password", () => {
    expect(addressText(read("mysql://u:p@db.example.com/site"))).toBe(
      "mysql at db.example.com:3306, database site",
    );
    expect(addressText(read("postgres://u:p@[::1]/site"))).toBe("postgres at [::1]:5432, database site");
  });
});
