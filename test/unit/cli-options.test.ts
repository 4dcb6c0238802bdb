import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type OptionName, parseArguments } from "../../src/cli/shared/options.ts";
import { runOffline } from "../support/cli/cli.ts";

const syntax: { options: readonly OptionName[]; formats: readonly string[]; arguments: number } = {
  options: ["filename", "namespace", "output", "offline"],
  formats: ["yaml", "json"],
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

  test("NV12: takes a switch with its value, as kubectl does", () => {
    const [given, off] = [["--offline=true"], ["--offline=false"]].map((argv) => parseArguments(argv, syntax));

    assert.deepEqual(given?.ok && given.value.options, { offline: ["true"] });
    assert.deepEqual(off?.ok && off.value.options, {});
  });

  describe("a switch", () => {
    const own: Parameters<typeof parseArguments>[1] = { options: ["offline", "all-namespaces", "wait", "namespace"], arguments: 0 };
    const optionsOf = (...argv: string[]) => {
      const parsed = parseArguments(argv, own);
      return parsed.ok ? parsed.value.options : parsed.error.problems;
    };

    for (const value of ["1", "t", "T", "TRUE", "True"])
      test(`NW-L5: is given by ${value}`, () => assert.deepEqual(optionsOf(`--wait=${value}`), { wait: ["true"] }));
    for (const value of ["0", "f", "F", "FALSE", "False"])
      test(`NW-L5: is left out by ${value}`, () => assert.deepEqual(optionsOf(`--wait=${value}`), {}));
    for (const value of ["yes", "tRUE", "2", ""])
      test(`takes no other word: ${value}`, () =>
        assert.deepEqual(optionsOf(`--wait=${value}`), ["--wait takes no value; write --wait alone"]));

    test("NW-L4: is what was said last", () => {
      assert.deepEqual(optionsOf("--wait", "--wait=false"), {});
      assert.deepEqual(optionsOf("--wait=false", "--wait"), { wait: ["true"] });
      assert.deepEqual(optionsOf("--wait", "--wait"), { wait: ["true"] });
    });

    test("NW-L5: takes its value after the short name, too", () => {
      assert.deepEqual(optionsOf("-A=true"), { "all-namespaces": ["true"] });
      assert.deepEqual(optionsOf("-A=false"), optionsOf("--all-namespaces=false"));
      assert.deepEqual(optionsOf("-A=f", "-n", "shop"), { "all-namespaces": ["false"], namespace: ["shop"] });
    });
  });

  for (const [argv, problem] of [
    [["--namspace", "a"], "unknown option --namspace; did you mean --namespace?"],
    [["-x"], "unknown option -x; this command has --filename, --namespace, --output, --offline, --help"],
    [["--namespace"], "--namespace needs a value; write --namespace NAME"],
    [["-n", "--offline"], "-n needs a value; write -n NAME"],
    [["--namespace="], "--namespace needs a value; write --namespace NAME"],
    [["--offline=yes"], "--offline takes no value; write --offline alone"],
    [["-n", "a", "-n", "b"], "-n is given twice; write it once"],
    [["-o", "xml"], '-o: "xml" is not a valid format; write one of yaml, json'],
    [["a", "b"], 'unexpected argument "b"'],
    // N27: an option without its dashes.
    [["a", "offline"], 'unexpected argument "offline"; did you mean --offline?'],
  ] as const) {
    test(`are refused with the fix: ${argv.join(" ")}`, () =>
      assert.ok(problemsOf(...argv).includes(problem), problemsOf(...argv).join("\n")));
  }

  test("NB11: are one problem where an unknown option has a value", () => {
    assert.equal(problemsOf("a", "-x", "json").length, 1);
    assert.deepEqual(problemsOf("a", "--outptu", "json"), ["unknown option --outptu; did you mean --output?"]);
    assert.equal(problemsOf("a", "--outptu=json", "b").length, 2, "the control: this word is no value");
  });

  test("NB11: name the option that has this letter elsewhere", () => {
    const only = { ...syntax, options: ["install-namespace"] } as const;
    const parsed = parseArguments(["-n", "x"], only);

    assert.deepEqual(parsed.ok ? [] : parsed.error.problems, ["unknown option -n; did you mean --install-namespace?"]);
  });

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

  for (const [command, formats] of [
    ["render", "yaml, json, diff"],
    ["explain", "text, json"],
    ["doctor", "text, json"],
    ["grants", "text, yaml, json"],
  ] as const) {
    for (const format of ["xml", formats.includes("diff") ? "text" : "diff"]) {
      test(`D6: ${command} names its own formats where it has not the one that is asked for: ${format}`, async () => {
        const { code, notes } = await runOffline([command, "-o", format]);

        assert.deepEqual(
          [code, notes],
          [2, [`keyvault-injector ${command}: -o: "${format}" is not a valid format; write one of ${formats}`]],
        );
      });
    }
  }

  for (const [argv, problem] of [
    [["explain", "service/a"], '"service" is not a kind that explain knows; write one of pod, deployment, '],
    [["explain", "deploymnt/a"], '"deploymnt" is not a kind that explain knows; did you mean deployment?'],
    [["explain", "deploymnt", "a"], '"deploymnt" is not a kind that explain knows; did you mean deployment?'],
    [["explain", "web"], '"web" names no object; write KIND/NAME, such as pod/web, or -f FILE'],
    [["explain", "pod"], '"pod" is a kind, but names no object; write pod/NAME'],
    [["explain", "pod/a", "pod/b"], "explain takes one object; remove pod/a or pod/b"],
    [["explain", "pod/a/b"], '"pod/a/b" names no object; write pod/NAME'],
    [["doctor", "class", "a/b/c"], '"a/b/c" names no class; write NAMESPACE/NAME'],
    [["restore", "a/"], '"a/" names no class; write NAMESPACE/NAME'],
  ] as const) {
    test(`D10: is told what is wrong with its words before a cluster is asked: ${argv.join(" ")}`, async () => {
      const { code, notes } = await runOffline(argv);

      assert.equal(code, 2);
      assert.ok(notes[0]?.startsWith(`keyvault-injector ${argv[0]}: ${problem}`), notes.join("\n"));
    });
  }
});

for (const words of [
  ["pod.yaml", "spc.yaml"],
  ["pod.yaml", "folder"],
]) {
  test(`NC-17: two files of explain are told to need -f each: ${words.join(" ")}`, async () => {
    const { code, notes } = await runOffline(["explain", ...words]);

    assert.deepEqual([code, notes], [2, ["keyvault-injector explain: explain takes one file without -f; write -f for each file"]]);
  });
}

test("NC-17: the kinds that explain lists include the status of a class", async () => {
  const { notes } = await runOffline(["explain", "service/a"]);

  assert.match(notes.join(), /, secretproviderclass, spcsync$/);
});

test("NV12: a type of a vault's objects without a name is told as that", async () => {
  for (const word of ["secret", "secret/", "certificates"]) {
    const { notes } = await runOffline(["where", word]);
    assert.match(notes.join(), /"\S+" is a type, but names no object; write \w+\/NAME$/);
  }
});
