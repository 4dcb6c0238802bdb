import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatDuration, parseDuration } from "../../src/domain/duration.ts";
import { parseConfig, processConfig, typedByHandProblem } from "../../src/runtime/config.ts";

function parsed(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const config = parseConfig(argv, environment);
  assert.ok(config.ok, config.ok ? "" : config.error.join("\n"));
  return config.value;
}

describe("settings", () => {
  test("have the documented defaults", () => {
    const config = parsed([]);

    assert.equal(config.rotationPollInterval, 120_000);
    assert.deepEqual(config.credentialsSecretNames, ["secrets-store-creds"]);
    assert.deepEqual(config.heal, ["crds", "classes", "components"]);
    assert.equal(config.syncSecret, true);
    assert.deepEqual([config.constructPemChain, config.writeCertAndKeyInSeparateFiles], [true, false]);
    assert.notEqual(config.podName, "");
  });

  test("come from the flag before the environment, and from the last of equal flags", () => {
    const environment = { KEYVAULT_INJECTOR_SYNC_MODE: "never", POD_NAMESPACE: "from-downward-api" };

    assert.equal(parsed([], environment).syncMode, "never");
    assert.equal(parsed(["--sync-mode=always"], environment).syncMode, "always");
    assert.equal(parsed(["--sync-mode=always", "--sync-mode=never"]).syncMode, "never");
    assert.equal(parsed([], environment).namespace, "from-downward-api");
  });

  test("name namespaces that there can be, and none means all", () => {
    assert.deepEqual(parsed([]).namespaces, []);
    assert.deepEqual(parsed(["--namespaces=team-a, team-b"]).namespaces, ["team-a", "team-b"]);

    const config = parseConfig(["--namespaces=team-a,Team/B"], {});

    assert.ok(!config.ok);
    assert.match(config.error.join(), /--namespaces: .*write names of namespaces \(lower-case letters/);
  });

  test("that are wrong are listed all at once, each with its name, value and fix", () => {
    const config = parseConfig(["--heal=crds,pods", "--rotation-poll-interval=9s", "--health-port=70000", "--cloud-name=AzureMars"], {
      KEYVAULT_INJECTOR_SYNC_SECRET: "yes",
    });

    assert.ok(!config.ok);
    assert.deepEqual([...config.error].map((line) => line.split(":")[0] ?? "").toSorted(), [
      "--cloud-name",
      "--heal",
      "--health-port",
      "--rotation-poll-interval",
      "KEYVAULT_INJECTOR_SYNC_SECRET",
    ]);
    assert.match(config.error.join("\n"), /"yes": write true or false/);
    assert.match(config.error.join("\n"), /unknown item "pods"; write any of crds, classes/);
  });

  test("N25: that are misspelt are told with the nearest one, as those of the commands", () => {
    for (const [flag, reported] of [
      ["--log-levl=debug", "unknown option --log-levl; did you mean --log-level?"],
      ["--nothing-like-it", "unknown option --nothing-like-it; see --help"],
      ["--log-level", "Option '--log-level <value>' argument missing"],
    ] as const) {
      const read = parseConfig([flag], {});
      assert.deepEqual(read.ok ? [] : read.error, [reported]);
    }
  });

  test("P12: that name queues are refused where the flag is there twice, since one would silently win", () => {
    const queue = (name: string): string => `--event-queues=https://shop.queue.core.windows.net/${name};identity=managed`;
    const config = parseConfig([queue("first"), queue("second")], {});

    assert.ok(!config.ok);
    assert.deepEqual(config.error, ["--event-queues: given 2 times; give it once, with commas between the queues"]);
    assert.equal(parsed([`${queue("first")},${queue("second").slice("--event-queues=".length)}`]).eventQueues.length, 2);
  });

  test("of the Azure SDK that would make another identity of the node's are taken out of the environment", () => {
    assert.deepEqual(
      parsed([], { AZURE_FEDERATED_TOKEN_FILE: "/token", AZURE_POD_IDENTITY_AUTHORITY_HOST: "http://metadata" }).divertingVariables,
      ["AZURE_FEDERATED_TOKEN_FILE"],
    );
    assert.deepEqual(parsed([], { IDENTITY_ENDPOINT: "" }).divertingVariables, []);
    process.env["AZURE_FEDERATED_TOKEN_FILE"] = "/token";
    assert.ok(processConfig([]).ok);
    assert.equal(process.env["AZURE_FEDERATED_TOKEN_FILE"], undefined);
  });

  test("that nobody knows are refused by name", () => {
    const config = parseConfig(["--sync-secrets=true"], {});

    assert.match(config.ok ? "" : config.error.join(), /--sync-secrets/);
  });
});

describe("NU2: a process of the install that a user types", () => {
  test("NU2: does not start, and names the command that was meant", () => {
    assert.match(typedByHandProblem([], true, {}) ?? "", /runs in the install's pods.*keyvault-injector refresh.*--kubeconfig/);
  });

  for (const [what, argv, isTerminal, environment] of [
    ["with --kubeconfig", ["--kubeconfig=f"], true, {}],
    ["with --kubeconfig and a word", ["--kubeconfig", "f"], true, {}],
    ["in a pod, also at a terminal", [], true, { KUBERNETES_SERVICE_HOST: "10.0.0.1" }],
    ["without a terminal", [], false, {}],
  ] as const) {
    test(`NU2: starts ${what}`, () => assert.equal(typedByHandProblem(argv, isTerminal, environment), undefined));
  }

  test("NU2: is told that it takes no name of a class", () => {
    const config = parseConfig(["shop-secrets"], {});
    assert.match(config.ok ? "" : config.error.join(), /^unexpected argument "shop-secrets"; .*keyvault-injector refresh$/);
  });
});

describe("a duration", () => {
  const readable: readonly (readonly [string, number])[] = [
    ["90s", 90_000],
    ["2m", 120_000],
    ["1h30m", 5_400_000],
    ["1.5m", 90_000],
    ["250ms", 250],
  ];
  for (const [text, milliseconds] of readable) {
    test(`${text} is ${milliseconds} ms`, () => {
      assert.deepEqual(parseDuration(text), { ok: true, value: milliseconds });
    });
  }

  for (const text of ["", "2", "2 m", "m", "-1m", "2m x", "1d"]) {
    test(`${JSON.stringify(text)} is refused with an example`, () => {
      const result = parseDuration(text);

      assert.match(result.ok ? "" : result.error, /write it like 30s, 2m or 1h30m/);
    });
  }

  test("is shown in the largest units that say it exactly", () => {
    assert.deepEqual([90_000, 120_000, 5_400_000, 3_661_000].map(formatDuration), ["90s", "2m", "1h30m", "1h1m1s"]);
  });
});
