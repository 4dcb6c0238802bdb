import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type OptionName, parseArguments } from "../../src/cli/options.ts";
import { runOffline } from "../support/cli.ts";

const syntax: { options: readonly OptionName[]; arguments: number } = {
  options: ["filename", "namespace", "output", "offline"],
  arguments: 1,
};
const problemsOf = (...argv: string[]): readonly string[] => {
  const parsed = parseArguments(argv, syntax);
  return parsed.ok ? [] : parsed.error.problems;
};

describe("arguments of a command", () => {
  test("are options in both spellings, and words", () => {
    const parsed = parseArguments(["-f", "a.yaml", "--filename=-", "pod/web", "-n", "shop", "-o=json", "--offline"], syntax);

    assert.deepEqual(parsed.ok && parsed.value, {
      options: { filename: ["a.yaml", "-"], namespace: ["shop"], output: ["json"], offline: ["true"] },
      arguments: ["pod/web"],
      isHelpWanted: false,
    });
  });

  test("may be words after --", () => {
    const parsed = parseArguments(["--", "--offline"], syntax);

    assert.deepEqual(parsed.ok && parsed.value.arguments, ["--offline"]);
  });

  for (const [argv, problem] of [
    [["--namspace", "a"], "unknown option --namspace; did you mean --namespace?"],
    [["-x"], "unknown option -x; this command has --filename, --namespace, --output, --offline, --help"],
    [["--namespace"], "--namespace needs a value; write --namespace NAME"],
    [["-n", "--offline"], "-n needs a value; write -n NAME"],
    [["--namespace="], "--namespace needs a value; write --namespace NAME"],
    [["--offline=yes"], "--offline takes no value; write --offline alone"],
    [["-n", "a", "-n", "b"], "-n is given twice; write it once"],
    [["-o", "xml"], '-o: "xml" is no format; write one of text, yaml, json, diff'],
    [["a", "b"], 'unexpected argument "b"'],
  ] as const) {
    test(`are refused with the fix: ${argv.join(" ")}`, () =>
      assert.ok(problemsOf(...argv).includes(problem), problemsOf(...argv).join("\n")));
  }

  test("are all refused at once", () => assert.equal(problemsOf("--a=1", "--b=2", "-n").length, 3));

  test("ask for help wherever -h stands, whatever else is wrong", () => {
    const parsed = parseArguments(["--nonsense=1", "-h"], syntax);

    assert.equal(parsed.ok && parsed.value.isHelpWanted, true);
  });
});

describe("a command", () => {
  test("ends with 2 and names itself where its arguments are wrong", async () => {
    const { code, output, notes } = await runOffline(["render", "--offline=no"]);

    assert.deepEqual(
      { code, output, notes },
      { code: 2, output: "", notes: ["keyvault-injector render: --offline takes no value; write --offline alone"] },
    );
  });

  test("ends with 2 where it has nothing to do", async () => {
    assert.equal((await runOffline(["render"])).code, 2);
    assert.equal((await runOffline(["explain"])).code, 2);
    assert.equal((await runOffline(["explain", "pod/a", "-f", "-"])).code, 2);
    assert.equal((await runOffline(["explain", "service/a"])).code, 2);
    assert.equal((await runOffline(["doctor"])).code, 2);
  });

  for (const [command, format] of [
    ["render", "text"],
    ["explain", "yaml"],
    ["doctor", "diff"],
  ] as const) {
    test(`${command} names its own formats`, async () => {
      const { code, notes } = await runOffline(
        [command, "-f", "-", "-o", format].filter((word) => command !== "doctor" || !["-f", "-"].includes(word)),
      );

      assert.equal(code, 2);
      assert.match(notes.join("\n"), new RegExp(`-o ${format}: ${command} writes `));
    });
  }
});
