import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { COMMANDS } from "../../src/cli/program.ts";
import { parseArguments } from "../../src/cli/shared/options.ts";
import { PROCESSES } from "../../src/runtime/setting.ts";
import { SETTINGS } from "../../src/runtime/settings.ts";
import { type CliOutput, runCli, runOffline } from "../support/cli/cli.ts";

const said = async (argv: readonly string[]): Promise<CliOutput> => {
  const { code, output, notes } = await runOffline(argv);
  return { code, stdout: output, stderr: notes.map((note) => `${note}\n`).join("") };
};

describe("help of the program", () => {
  for (const argv of [[], ["-h"], ["--help"], ["help"]]) {
    test(`is a line for each command and three more: ${argv.join(" ") || "nothing typed"}`, async () => {
      const { code, stdout, stderr } = await said(argv);

      assert.deepEqual([code, stderr], [0, ""]);
      assert.equal(stdout.trimEnd().split("\n").length, COMMANDS.length + 3);
      for (const { name, summary } of COMMANDS) assert.ok(stdout.includes(`  ${name.padEnd(13)} ${summary}\n`), name);
      assert.match(stdout, /webhook, sync/);
      assert.ok(stdout.split("\n").every((line) => line.length <= 120));
      assert.doesNotMatch(stdout, /--rotation-poll-interval/);
    });
  }

  test("of a command is the same by help, --help and -h", async () => {
    const [word, long, short] = await Promise.all(
      [
        ["help", "render"],
        ["render", "--help"],
        ["render", "-h"],
      ].map((argv) => said(argv)),
    );

    assert.equal(word?.code, 0);
    assert.match(word?.stdout ?? "", /^usage: keyvault-injector render /m);
    assert.deepEqual([word, word], [long, short]);
  });

  for (const process of PROCESSES) {
    test(`of ${process} has the settings that it uses, and no other`, async () => {
      const [word, long] = await Promise.all([said(["help", process]), runCli([process, "--help"])]);
      const shown = [...(word?.stdout ?? "").matchAll(/^ {2}--([a-z-]+)$/gm)].map(([, name]) => name);
      const used = Object.entries(SETTINGS).filter(([, { usedBy }]) => usedBy === process || usedBy === "both");

      assert.deepEqual(word, long);
      assert.match(word.stdout, new RegExp(`^usage: keyvault-injector ${process} `, "m"));
      assert.deepEqual(
        shown,
        used.map(([name]) => name),
      );
      assert.ok(used.length < Object.keys(SETTINGS).length);
    });
  }
});

describe("P12: the help of a setting", () => {
  for (const [flag, words] of [
    ["restart-mode", /One of act, dry-run, paused\. \(default act\)/],
    [
      "restart-window",
      /always, or one or more windows of the form <cron> for <duration> in <time zone>, separated by ;, such as 0 22 \* \* MON-FRI for 4h in Europe\/Berlin/,
    ],
    ["event-queues", /comma-separated list.*such as https:\/\/<account>\.queue\.core\.windows\.net\/<queue>;identity=managed/],
    ["heal", /A comma-separated list of crds, classes, components\./],
    ["rotation-poll-interval", /A Go duration such as 30s or 1h30m, not below 10s\./],
  ] as const) {
    test(`says what may be written: --${flag}`, async () => {
      const { output } = await runOffline(["help", "sync"]);
      const [, text = ""] = new RegExp(`^  --${flag}\n      (.*)$`, "m").exec(output) ?? [];

      assert.match(text, words);
    });
  }
});

describe("the help of an option", () => {
  for (const [command, option, help] of [
    ["doctor", "-n, --namespace", /^With class or plan: only classes in this namespace\. Otherwise: namespace of the dry-run pod/],
    ["grants", "-n, --namespace", /^Only classes in this namespace\. Default: all namespaces\.$/],
    ["restore", "-n, --namespace", /^With --list or --all: only snapshots in this namespace\. With a class: /],
    ["explain", "-n, --namespace", /^Namespace of the object, or of objects in files that do not specify one\. /],
    ["render", "-n, --namespace", /^Namespace of objects that do not specify one\. /],
  ] as const) {
    test(`D9: says what it means to the command: ${command} ${option}`, async () => {
      const lines = (await said(["help", command])).stdout.split("\n");
      const line = lines.findIndex((each) => each.startsWith(`  ${option} `));

      assert.match(lines[line + 1]?.trim() ?? "", help);
    });
  }

  for (const [command, formats] of [
    ["render", "yaml (default), json, diff"],
    ["doctor", "text (default), json"],
  ] as const) {
    test(`D13: names the formats of the command, and which it takes by itself: ${command}`, async () => {
      assert.ok((await said(["help", command])).stdout.includes(`\n  -o, --output FORMAT\n      Output format: ${formats}.\n`));
    });
  }
});

describe("NC15: the help of a command", () => {
  for (const command of COMMANDS) {
    test(`shows what people type, and the command takes it: ${command.name}`, async () => {
      const { stdout } = await said(["help", command.name]);
      const [, block = ""] = /^examples:\n((?: {2}.+\n)+)$/m.exec(stdout) ?? [];
      const typed = [...block.matchAll(/^ {2}(?:.* \| |source <\()?keyvault-injector (.*?)\)?$/gm)].map(([, line = ""]) =>
        line.replace(/ [|>] .*$/, ""),
      );

      assert.ok(typed.length > 0);
      for (const line of typed) {
        const [word, ...argv] = line.split(" ");
        const parsed = parseArguments(argv, command);
        assert.ok(word === command.name && parsed.ok, line);
      }
      assert.ok(block.split("\n").every((line) => line.length <= 132));
    });
  }

  test("takes no mistyped option for one of its own", () => {
    const [render] = COMMANDS;
    assert.ok(render !== undefined && !parseArguments(["--offlin"], render).ok);
  });
});

describe("the version", () => {
  for (const word of ["version", "--version", "-v"]) {
    test(`is printed alone by ${word}`, async () => {
      assert.deepEqual(await said([word]), { code: 0, stdout: "9.9.9\n", stderr: "" });
    });

    test(`NV1: is what a script asks for, as of kubectl and helm: ${word}`, async () => {
      const report = { report: "version", format: 1, version: "9.9.9" };
      const { code, stdout, stderr } = await said([word, "-o", "json"]);

      assert.deepEqual([code, JSON.parse(stdout), stderr], [0, report, ""]);
      assert.deepEqual(await said([word, "--output=yaml"]), {
        code: 0,
        stdout: "report: version\nformat: 1\nversion: 9.9.9\n",
        stderr: "",
      });
      assert.deepEqual(await said([word, "--client"]), await said([word]));
      assert.deepEqual(await said([word, "--client", "-o", "json"]), await said([word, "-o", "json"]));
    });
  }

  test("NV1: is not asked for in a format that it does not have", async () => {
    const { code, stdout, stderr } = await said(["version", "-o", "wide"]);

    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^keyvault-injector version: -o: "wide" is not a valid format; write one of text, json, yaml\n$/);
  });
});

describe("a command that is mistyped", () => {
  for (const [argv, nearest] of [
    [["doctr"], "doctor"],
    [["uninstal"], "uninstall"],
    [["rendr"], "render"],
    [["help", "explian"], "explain"],
    [["sinc"], "sync"],
    [["verison"], "version"],
  ] as const) {
    test(`is answered with the one that is meant: ${argv.join(" ")}`, async () => {
      assert.deepEqual(await said(argv), {
        code: 2,
        stdout: "",
        stderr: `keyvault-injector: unknown command "${argv.at(-1) ?? ""}"; did you mean ${nearest}?\n`,
      });
    });
  }

  for (const [argv, meant] of [
    [["get"], "explain"],
    [["status"], "doctor"],
    [["help", "analyze"], "doctor"],
    [["lint"], "render"],
    [["reconcile"], "refresh"],
  ] as const) {
    test(`NU9: and is another program's word for one is answered with it: ${argv.join(" ")}`, async () => {
      const { stderr } = await said(argv);
      assert.equal(stderr, `keyvault-injector: unknown command "${argv.at(-1) ?? ""}"; did you mean ${meant}?\n`);
    });
  }

  test("and asks for an install is not told to take one out", async () => {
    for (const word of ["install", "instal"]) {
      const { stderr } = await said([word]);
      assert.ok(!stderr.includes("did you mean"), stderr);
    }
  });

  for (const argv of [["demo"], ["demo", "--help"], ["help", "demo"]]) {
    test(`NV2: and is a script of the checkout is answered with how to run it: ${argv.join(" ")}`, async () => {
      assert.deepEqual(await said(argv), {
        code: 2,
        stdout: "",
        stderr: 'keyvault-injector: unknown command "demo"; the demo runs from a checkout: npm run demo -- --help\n',
      });
    });
  }

  test("N13: and is like none is answered with where all of them are", async () => {
    const { code, stdout, stderr } = await said(["kubernetes"]);

    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^keyvault-injector: unknown command "kubernetes"; see keyvault-injector help\n$/);
  });
});

describe("completion", () => {
  const script = async (shell: string): Promise<string> => (await said(["completion", shell])).stdout;
  const complete = (bash: string, words: readonly string[]): readonly string[] => {
    const line = `${bash}\nCOMP_WORDS=(${words.map((word) => JSON.stringify(word)).join(" ")}); COMP_CWORD=${words.length - 1}; _keyvault_injector; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync("bash", ["-c", line], { encoding: "utf8" }).trim().split("\n");
  };

  test("of bash completes commands, options of the command, formats and words, by bash itself", async () => {
    const bash = await script("bash");

    assert.deepEqual(complete(bash, ["keyvault-injector", "re"]), ["render", "refresh", "restore"]);
    assert.deepEqual(complete(bash, ["keyvault-injector", "explain", "--off"]), ["--offline"]);
    assert.deepEqual(complete(bash, ["keyvault-injector", "doctor", "-o", "js"]), ["json"]);
    assert.deepEqual(complete(bash, ["keyvault-injector", "completion", "z"]), ["zsh"]);
    assert.deepEqual(complete(bash, ["keyvault-injector", "doctor", "cl"]), ["class"]);
    assert.deepEqual(complete(bash, ["keyvault-injector", "render", "-f", "package.js"]), ["package.json"]);
    assert.deepEqual(complete(bash, ["keyvault-injector", "convert", "package.js"]), ["package.json"]);
  });

  test("D6: of each shell offers a command its own formats", async () => {
    const bash = await script("bash");

    assert.deepEqual(complete(bash, ["keyvault-injector", "doctor", "-o", ""]), ["text", "json"]);
    assert.deepEqual(complete(bash, ["keyvault-injector", "render", "-o", ""]), ["yaml", "json", "diff"]);
    assert.match(await script("zsh"), /^ +doctor\) compadd -- text json ;;$/m);
    assert.match(await script("fish"), /'__fish_seen_subcommand_from doctor' -l output -s o -x -a 'text json' /);
  });

  for (const shell of ["zsh", "fish"]) {
    test(`of ${shell} names every command and every option`, async () => {
      const text = await script(shell);

      for (const { name, options } of COMMANDS) {
        assert.ok(text.includes(name), name);
        for (const option of options) assert.ok(text.includes(shell === "fish" ? `-l ${option}` : `--${option}`), option);
      }
    });
  }

  test("of another shell is refused with the one that is meant", async () => {
    const { code, stdout, stderr } = await said(["completion", "bsh"]);

    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /"bsh" is not a supported shell; did you mean bash\?/);
  });
});

describe("N12: help and version", () => {
  for (const argv of [
    ["help", "version"],
    ["version", "--help"],
  ]) {
    test(`know what version does: ${argv.join(" ")}`, async () => {
      const { code, stdout, stderr } = await said(argv);

      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /^Print only the version of this program\.\n\nusage: keyvault-injector version \[options\]\n/);
    });
  }

  test("help help is the help", async () => assert.deepEqual(await said(["help", "help"]), await said(["help"])));

  test("N28, N29: nothing is ignored: version doctor", async () => {
    assert.deepEqual(await said(["version", "doctor"]), {
      code: 2,
      stdout: "",
      stderr: 'keyvault-injector version: unexpected argument "doctor"\n',
    });
  });

  for (const [argv, problem] of [
    [["help", "doctor", "explain"], 'unexpected "explain" after help; remove it'],
    [["--context", "foo"], "no command after --context; write keyvault-injector COMMAND --context"],
    [["--log-level=debug", "sync"], "options of sync must follow it; write keyvault-injector sync OPTIONS"],
  ] as const) {
    test(`N28, N29: nothing is ignored: ${argv.join(" ")}`, async () => {
      assert.deepEqual(await said(argv), { code: 2, stdout: "", stderr: `keyvault-injector: ${problem}\n` });
    });
  }

  for (const [before, after] of [
    [
      ["--kubeconfig", "/nowhere", "doctor", "class", "app"],
      ["doctor", "--kubeconfig", "/nowhere", "class", "app"],
    ],
    [
      ["-n", "team-a", "version"],
      ["version", "-n", "team-a"],
    ],
    [
      ["-V", "where"],
      ["where", "-V"],
    ],
    [
      ["-A=f", "where", "--kubeconfig", "/nowhere"],
      ["where", "-A=f", "--kubeconfig", "/nowhere"],
    ],
    [
      ["-n", "team-a", "--help", "where"],
      ["where", "--help"],
    ],
  ] as const) {
    test(`NU8: options may come before the command: ${before.join(" ")}`, async () => {
      assert.deepEqual(await said(before), await said(after));
    });
  }
});
