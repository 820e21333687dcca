import { describe, expect, it } from "vitest";
import { resolve } from "../src/config/config.ts";
import { settings, type SettingKey } from "../src/config/settings.ts";
import { CliError } from "../src/errors.ts";

function failure(make: () => unknown): CliError {
  try {
    make();
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

describe("resolve", () => {
  const path = "/site/mawps.config.json";

  it.each(["eu-central-1 ", "eu-central-1\n", "eu central", "-"])("refuses the region %j", (AWS_REGION) => {
    const refused = failure(() => resolve({}, { AWS_REGION }, undefined));
    expect(refused.message).toContain("AWS_REGION: expected the name of a region");
    expect(refused.exitCode).toBe(2);
  });

  it.each<[string, Record<string, string>]>([
    ["of AWS's own", { MAWPS_METRICS_NAMESPACE: "AWS/S3" }],
    ["with an address of a person", { MAWPS_METRICS_DIMENSIONS: "Owner=max@example.com" }],
    ["without a value", { MAWPS_METRICS_DIMENSIONS: "Environment" }],
    ["with one name twice", { MAWPS_METRICS_DIMENSIONS: "A=1,A=2" }],
    ["of the command's name", { MAWPS_METRICS_DIMENSIONS: "Command=x" }],
    ["that are six", { MAWPS_METRICS_DIMENSIONS: "A=1,B=1,C=1,D=1,E=1,F=1" }],
    ["told of to no topic", { MAWPS_METRICS_TOPIC: "alarms" }],
  ])("refuses metrics %s", (_name, env) => {
    const [variable = ""] = Object.keys(env);
    const refused = failure(() => resolve({}, { MAWPS_METRICS_NAMESPACE: "Site", ...env }, undefined));
    expect([refused.exitCode, refused.message]).toEqual([
      2,
      expect.stringContaining(`${variable}: expected `),
    ]);
  });

  it("refuses a topic in another region than that of the alarms", () => {
    const env = {
      MAWPS_METRICS_NAMESPACE: "Site",
      MAWPS_METRICS_TOPIC: "arn:aws:sns:us-east-1:123456789012:alarms",
    };
    const refused = failure(() => resolve({}, env, undefined));
    expect([refused.exitCode, refused.message]).toEqual([
      2,
      expect.stringContaining("the topic is in us-east-1"),
    ]);
    expect(resolve({}, { ...env, AWS_REGION: "us-east-1" }, undefined).config.region).toBe("us-east-1");
  });

  it("takes dimensions from a variable and from a file, and not without a namespace", () => {
    const dimensions = { Environment: "production", Site: "main" };
    const values = { metrics: { namespace: "Site", dimensions } };
    expect(resolve({}, {}, { path, values }).config.metrics.dimensions).toEqual(dimensions);
    const env = {
      MAWPS_METRICS_NAMESPACE: "Site",
      MAWPS_METRICS_DIMENSIONS: "Environment=production, Site=main",
    };
    expect(resolve({}, env, undefined).config.metrics.dimensions).toEqual(dimensions);
    const alone = failure(() => resolve({}, { MAWPS_METRICS_DIMENSIONS: "Site=main" }, undefined));
    expect([alone.exitCode, alone.message]).toEqual([
      2,
      expect.stringContaining('needs "metrics.namespace"'),
    ]);
  });

  it.each([
    { name: "nothing said", flags: {}, env: {}, file: undefined, value: "eu-central-1", source: "default" },
    { name: "file", flags: {}, env: {}, file: { region: "eu-west-1" }, value: "eu-west-1", source: path },
    {
      name: "variable over file",
      flags: {},
      env: { AWS_REGION: "eu-west-2" },
      file: { region: "eu-west-1" },
      value: "eu-west-2",
      source: "AWS_REGION",
    },
    {
      name: "first variable over second",
      flags: {},
      env: { AWS_DEFAULT_REGION: "eu-west-3", AWS_REGION: "eu-west-2" },
      file: undefined,
      value: "eu-west-2",
      source: "AWS_REGION",
    },
    {
      name: "flag over all",
      flags: { region: "us-east-1" },
      env: { AWS_REGION: "eu-west-2" },
      file: { region: "eu-west-1" },
      value: "us-east-1",
      source: "--region",
    },
    {
      name: "an empty variable says nothing",
      flags: {},
      env: { AWS_REGION: "" },
      file: undefined,
      value: "eu-central-1",
      source: "default",
    },
  ])("takes the region from the right place: $name", ({ flags, env, file, value, source }) => {
    const { config, sources } = resolve(flags, env, file && { path, values: file });
    expect([config.region, sources.region]).toEqual([value, source]);
  });

  it("reads nested keys of a file", () => {
    const values = { target: "aws", buckets: { publicMedia: "my-media" }, local: { port: 9800 } };
    const { config } = resolve({}, {}, { path, values });
    expect(config.buckets.publicMedia).toBe("my-media");
    expect(config.local.port).toBe(9800);
    expect(config.buckets.userFiles).toBe(settings["buckets.userFiles"].fallback);
  });

  it.each([
    { name: "an unknown key", values: { regoin: "eu-west-1" }, says: [path, '"regoin"'] },
    { name: "an unknown nested key", values: { buckets: { media: "x" } }, says: [path, '"buckets.media"'] },
    { name: "a wrong value", values: { target: "azure" }, says: [path, '"target"', "local, aws"] },
    { name: "a text for a number", values: { local: { port: "9700" } }, says: [path, '"local.port"'] },
    { name: "a text for a boolean", values: { protected: "true", name: "x" }, says: [path, '"protected"'] },
    { name: "a group that is no object", values: { tables: "x" }, says: [path, '"tables"'] },
    { name: "no object at all", values: ["x"], says: [path, "object"] },
    { name: "a flag's business in a file", values: { yes: true }, says: [path, '"yes"'] },
    { name: "protected without a name", values: { protected: true }, says: ["name"] },
    {
      name: "a bucket name S3 refuses",
      values: { buckets: { publicMedia: "My_Bucket" } },
      says: ['"buckets.publicMedia"'],
    },
    { name: "a URL without a scheme", values: { endpointUrl: "localhost:4566" }, says: ['"endpointUrl"'] },
  ])("refuses $name and names it", ({ values, says }) => {
    const error = failure(() => resolve({}, {}, { path, values }));
    expect(error.exitCode).toBe(2);
    for (const word of says) expect(error.message).toContain(word);
  });

  it.each([
    ["a slip", { regoin: "eu-west-1" }, 'did you mean "region"?'],
    ["a slip in a group", { clamav: { hots: "av" } }, 'did you mean "clamav.host"?'],
    ["a key without its group", { publicMedia: "bucket" }, 'did you mean "buckets.publicMedia"?'],
    ["what belongs to one call", { dryRun: true }, "it belongs to one call: --dry-run, MAWPS_DRY_RUN"],
    ["what is near to nothing", { aws_access_key_id: "x" }, "`mawps config show` lists the keys"],
    ["a name of every object", { constructor: "x" }, "`mawps config show` lists the keys"],
  ])("tells what an unknown key may mean: %s", (_what, values, hint) => {
    expect(failure(() => resolve({}, {}, { path, values }))).toMatchObject({ exitCode: 2, hint });
  });

  it("names the variable with a wrong value", () => {
    expect(failure(() => resolve({}, { MAWPS_LOCAL_PORT: "70000" }, undefined)).message).toContain(
      "MAWPS_LOCAL_PORT",
    );
  });

  it("refuses an endpoint for the local store, but ignores the SDK's own variable there", () => {
    const flags = { endpointUrl: "http://127.0.0.1:1" };
    expect(failure(() => resolve(flags, {}, undefined)).message).toContain("--target aws");
    expect(resolve({}, { AWS_ENDPOINT_URL: "http://127.0.0.1:1" }, undefined).config.target).toBe("local");
  });

  it("places a folder named by a file beside the file, others in the current folder", () => {
    const file = { path: "/site/mawps.config.json", values: { home: "../stores/site" } };
    expect(resolve({}, {}, file).config.home).toBe("/stores/site");
    expect(resolve({}, { MAWPS_HOME: "store" }, file).config.home).toBe("store");
    expect(resolve({}, {}, undefined).config.home).toBe(".mawps");
  });

  it("refuses one bucket for what is public and what is private", () => {
    const file = { path, values: { buckets: { userFiles: "manuel-weiss-public-media" } } };
    expect(failure(() => resolve({}, {}, file))).toMatchObject({
      exitCode: 2,
      message: `default and ${path}: buckets.userFiles is the public bucket, manuel-weiss-public-media`,
    });
  });

  it("takes NO_COLOR whatever it says", () => {
    expect(resolve({}, { NO_COLOR: "0" }, undefined).config.noColor).toBe(true);
    expect(resolve({}, { NO_COLOR: "" }, undefined).config.noColor).toBe(false);
  });

  it("accepts every default as a file", () => {
    const wrong = (Object.keys(settings) as SettingKey[]).filter((key) => {
      const { kind, fallback } = settings[key];
      return fallback !== undefined && kind.fromJson(fallback) !== fallback;
    });
    expect(wrong).toEqual([]);
  });
});
