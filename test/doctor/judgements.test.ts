import { describe, expect, it } from "vitest";
import { callerFindings } from "../../src/doctor/caller.ts";
import { judgeSeen } from "../../src/doctor/expected.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import type { AnonymousAnswer } from "../../src/doctor/outside.ts";
import { privacyFindings } from "../../src/doctor/privacy.ts";
import { resourceFindings } from "../../src/doctor/resources.ts";
import { type NetworkFacts, type ToolFacts, toolFindings } from "../../src/doctor/tool.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import type { Step } from "../../src/setup/step.ts";

const now = new Date("2026-03-01T12:00:00.000Z");
const minutes = (count: number) => new Date(now.getTime() + count * 60_000);
const who = { account: "123456789012", arn: "arn:aws:iam::123456789012:user/owner" };

describe("credentials", () => {
  it.each([
    ["permanent", undefined, "ok"],
    ["good for a day", minutes(1440), "ok"],
    ["good for exactly an hour", minutes(60), "ok"],
    ["good for less than an hour", minutes(59), "warning"],
    ["ended now", minutes(0), "problem"],
    ["ended yesterday", minutes(-1440), "problem"],
  ])("that are %s", (_name, expiresAt, status) => {
    const [finding] = callerFindings({ ...who, expiresAt }, now);
    expect(finding).toMatchObject({ check: "credentials", subject: who.arn, status });
    expect(finding?.remedy === undefined).toBe(status === "ok");
  });
});

const answer = (status: number, headers: Record<string, string> = {}) => ({ status, headers });
const picture = { "content-type": "image/png" };
const elsewhere = { location: "https://signin.example.com/?token=geheim" };

describe("a picture that anybody asks for", () => {
  it.each<[string, AnonymousAnswer, Finding["status"], string]>([
    ["is there", answer(200, picture), "ok", "the public can read it (image/png)"],
    [
      "is a page",
      answer(200, { "content-type": "text/html" }),
      "problem",
      "the public gets text/html, not a picture",
    ],
    ["has no type", answer(200), "problem", "the public gets no content type, not a picture"],
    ["is closed", answer(403), "problem", "the public cannot read it: HTTP 403"],
    ["wants a password", answer(401), "problem", "the public cannot read it: HTTP 401"],
    ["is not found", answer(404), "problem", "the public does not find it at https://cdn: HTTP 404"],
    [
      "is elsewhere",
      answer(302, elsewhere),
      "warning",
      "was not read: https://cdn sends the public on (HTTP 302), to https://signin.example.com",
    ],
    ["breaks the server", answer(503), "problem", "was not read: https://cdn answers HTTP 503"],
    ["is half there", answer(206, picture), "problem", "was not read: https://cdn answers HTTP 206"],
    [
      "gives no answer",
      { status: undefined, why: "cut off" },
      "problem",
      "could not be read as the public does: cut off",
    ],
  ])("%s", (_name, seen, status, message) => {
    const found = judgeSeen(seen, { place: "https://cdn", unasked: undefined });
    expect(found).toMatchObject({ status, message });
    expect(found.remedy === undefined).toBe(status === "ok");
  });

  it("and that another server gave is not told of the one that nobody asked", () => {
    expect(judgeSeen(answer(200, picture), { place: "http://127.0.0.1:1", unasked: "https://cdn" })).toEqual({
      status: "ok",
      message:
        "http://127.0.0.1:1 gives it to anybody (image/png); its own address, at https://cdn, was not asked",
    });
  });
});

describe("a private bucket", () => {
  it.each<[string, AnonymousAnswer, AnonymousAnswer | undefined, Finding["status"], RegExp]>([
    ["that refuses both", answer(403), answer(403), "ok", /reading an object is refused$/],
    ["that is empty", answer(401), undefined, "ok", /it is empty/],
    ["that lists", answer(200), answer(403), "problem", /^anybody can list it \(HTTP 200\)$/],
    ["that gives a part", answer(403), answer(206), "problem", /^anybody can read its objects/],
    [
      "that sends on",
      answer(301),
      answer(403),
      "warning",
      /^whether anybody can list it is not known: HTTP 301$/,
    ],
    ["whose object is gone", answer(403), answer(404), "warning", /read its objects is not known: HTTP 404$/],
    [
      "whose server fails",
      answer(503),
      answer(503),
      "warning",
      /not known: HTTP 503; .*not known: HTTP 503$/,
    ],
    [
      "that lists, and breaks off",
      answer(200),
      { status: undefined, why: "cut off" },
      "problem",
      /^anybody can list it \(HTTP 200\); .*not known: cut off$/,
    ],
  ])("%s", (_name, listing, reading, status, message) => {
    const how = { isDeclaredClosed: true, endpointUrl: undefined };
    expect(privacyFindings("b", { isPublic: false, listing, reading }, how)).toEqual([
      expect.objectContaining({ status, message: expect.stringMatching(message) }),
    ]);
  });
});

describe("the clock", () => {
  it.each([
    [0, "ok"],
    [60_000, "ok"],
    [61_000, "warning"],
    [-61_000, "warning"],
    [300_000, "warning"],
    [301_000, "problem"],
    [-301_000, "problem"],
  ])("%d ms off", (clockSkewMs, status) => {
    const [, finding] = callerFindings({ ...who, clockSkewMs }, now);
    expect(finding).toMatchObject({ check: "clock", status });
  });

  it("that could not be compared is not judged", () => {
    expect(callerFindings(who, now)).toHaveLength(1);
  });
});

describe("the tool", () => {
  const fine: ToolFacts = {
    nodeVersion: "v20.19.0",
    images: { version: "0.35.5", readsHeic: true },
    store: { folder: "/tmp/store", isWritable: true, freeBytes: 2 ** 40 },
  };
  it.each<[string, Partial<ToolFacts>, string[]]>([
    ["as it should be", {}, ["ok", "ok", "ok"]],
    ["without a local store", { store: undefined }, ["ok", "ok"]],
    ["on a newer Node.js", { nodeVersion: "v22.0.0" }, ["ok", "ok", "ok"]],
    ["on an older minor version", { nodeVersion: "v20.18.9" }, ["problem", "ok", "ok"]],
    ["on an older major version", { nodeVersion: "v18.20.0" }, ["problem", "ok", "ok"]],
    ["without a library for images", { images: undefined }, ["ok", "problem", "ok"]],
    ["that cannot read HEIC", { images: { version: "1", readsHeic: false } }, ["ok", "ok", "ok"]],
    ["on a full disk", { store: { folder: "/s", isWritable: true, freeBytes: 5 } }, ["ok", "ok", "warning"]],
    [
      "without the right to write",
      { store: { folder: "/s", isWritable: false, freeBytes: 5 } },
      ["ok", "ok", "problem"],
    ],
  ])("%s", (_name, differing, statuses) => {
    expect(toolFindings({ ...fine, ...differing }).map(({ status }) => status)).toEqual(statuses);
  });
});

describe("the way to AWS", () => {
  const direct: NetworkFacts = { proxies: [], excepted: undefined, bundle: undefined };
  const through = (shownUrl: string | undefined) => [
    { variable: "HTTPS_PROXY", scheme: "https" as const, shownUrl },
  ];
  const excepted = { variable: "NO_PROXY", hosts: ".internal" };
  it.each<[string, Partial<NetworkFacts>, string[]]>([
    ["without a proxy", {}, []],
    ["without a proxy, but with exceptions", { excepted }, []],
    [
      "through a proxy",
      { proxies: through("http://proxy:3128"), excepted },
      ["ok HTTPS_PROXY: https goes through http://proxy:3128", "ok NO_PROXY: reached directly: .internal"],
    ],
    [
      "through what is no proxy",
      { proxies: through(undefined) },
      ["problem HTTPS_PROXY: does not hold the URL of a proxy"],
    ],
    [
      "with certificates of its own",
      { bundle: { path: "/etc/ca.pem", certificates: 2 } },
      ["ok AWS_CA_BUNDLE: trusts the 2 certificates in /etc/ca.pem in place of Node's own"],
    ],
    [
      "with a file that holds none",
      { bundle: { path: "/etc/ca.pem", certificates: 0 } },
      ["problem AWS_CA_BUNDLE: /etc/ca.pem holds no certificate"],
    ],
    [
      "with a file that cannot be read",
      { bundle: { path: "/etc/ca.pem", certificates: undefined } },
      ["problem AWS_CA_BUNDLE: cannot read /etc/ca.pem"],
    ],
  ])("%s", (_name, differing, told) => {
    const found = toolFindings({
      nodeVersion: "v20.19.0",
      images: undefined,
      network: { ...direct, ...differing },
    });
    const network = found.filter(({ check }) => check === "network");
    expect(network.map(({ status, subject, message }) => `${status} ${subject}: ${message}`)).toEqual(told);
  });
});

describe("buckets and tables", () => {
  const declaration = mawps(defaultNames);
  const step = (kind: Step["kind"], more: Partial<Step> = {}): Step => ({
    resource: "table",
    name: defaultNames.tables.auditLog,
    aspect: "recovery",
    kind,
    to: "35 days",
    ...more,
  });

  it.each<[string, Step, string, string | undefined]>([
    ["missing", step("create", { aspect: "table" }), "problem", "mawps setup"],
    ["without a setting", step("add"), "problem", "mawps setup"],
    ["with another setting", step("change", { from: "7 days" }), "problem", "mawps setup --fix"],
    ["with a setting that does no harm", step("change", { isMinor: true }), "warning", "mawps setup --fix"],
    ["with what only a person can mend", step("problem", { remedy: "do it" }), "problem", "do it"],
  ])("%s are told with the command that helps", (_name, planned, status, remedy) => {
    const findings = resourceFindings([step("ok", { aspect: "capacity" }), planned], declaration);
    expect(findings).toEqual([expect.objectContaining({ check: "table", status, remedy })]);
  });

  it("as declared are one line, with what their server does not know below", () => {
    const findings = resourceFindings(
      [step("ok"), step("note", { aspect: "deletion protection" })],
      declaration,
    );
    expect(findings.map(({ status }) => status)).toEqual(["ok", "skipped"]);
    expect(findings[0]?.message).toBe("as declared (1 setting)");
  });
});
