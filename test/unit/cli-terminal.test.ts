/** Foreign texts on the terminal of the user who runs a command. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { toJson } from "../../src/cli/manifest/yaml.ts";
import { jsonText } from "../../src/cli/shared/command.ts";
import { joined, line, padded, paint, shown, verbatim } from "../../src/cli/shared/terminal.ts";
import { usagesText } from "../../src/cli/where/text.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { objectUsages } from "../../src/domain/where/object-usage.ts";
import { readClass } from "../../src/domain/where/read-class.ts";
import { snapshotOf } from "../../src/domain/where/snapshot.ts";
import { storedPodStatusOf } from "../../src/domain/where/stored-versions.ts";
import { runOffline } from "../support/cli/cli.ts";

/** Clears the screen, sets the window title, and starts a new line. */
const HOSTILE = "\u001B[2J\u001B[H\u001B]0;pwned\u0007\u009B31m1 Secret: 1 current\r\nno pod uses it\u2028\u202E";

/** Returns the characters of a text that a terminal obeys, except line ends and the program's own colours. */
function obeyed(text: string): readonly string[] {
  // oxlint-disable-next-line eslint/no-control-regex -- the pattern finds control characters.
  const withoutOurs = text.replaceAll(/\u001B\[(?:0|1|22|3[1-6]|39)m/g, "");
  return withoutOurs.replaceAll("\n", "").match(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu) ?? [];
}

/** The text as an author writes it in YAML. */
function escapedText(text: string): string {
  return text
    .split("")
    .map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

function hostileUsages() {
  const objects = `array:\n  - |\n    objectName: db\n    objectType: secret\n    objectVersion: "${escapedText(HOSTILE)}"\n`;
  const parameters = { useVMManagedIdentity: "true", keyvaultName: "shop", tenantID: "t", objects };
  const spc: SecretProviderClass = {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: "evil", name: "app" },
    spec: { provider: "azure", parameters },
  };
  const reading = readClass(spc, [], { cloudName: "AzurePublicCloud" });
  assert.equal(reading.kind, "class");
  const ownerReferences = [{ kind: "Pod", name: "p", uid: "u", apiVersion: "v1" }];
  const status = { mounted: true, secretProviderClassName: "app", podName: "p", objects: [{ id: "secret/db", version: HOSTILE }] };
  const body = {
    apiVersion: "v1",
    kind: "SecretProviderClassPodStatus",
    metadata: { namespace: "evil", name: "x", ownerReferences },
    status,
  };
  const podStatus = storedPodStatusOf(body);
  const listed = { secrets: [], pods: [], podStatuses: podStatus === undefined ? [] : [podStatus], classStatuses: [] };
  const snapshot = snapshotOf({ ...listed, classes: [reading.read], unseen: () => undefined, now: 0 });
  return objectUsages(snapshot, () => true);
}

describe("a class author's text on a terminal", () => {
  for (const hasColour of [true, false]) {
    test(`A18-8: is shown by where and refresh as text, and makes no line of its own, ${hasColour ? "with" : "without"} colours`, () => {
      const text = shown(usagesText(hostileUsages(), { isWide: true }), { hasColour });

      assert.match(text, /pwned/, "the control: the author's text is there");
      assert.deepEqual(obeyed(text), []);
      assert.deepEqual(
        stripVTControlCharacters(text)
          .split("\n")
          .filter((each) => /^\s*(?:no pod uses it|1 Secret: )/.test(each)),
        ["no pod uses it"],
      );
    });
  }

  test("A18-8: is one line of standard error, whatever a note or failure repeats", async () => {
    const { notes } = await runOffline(["render", "-f", `${HOSTILE}.yaml`], "");

    assert.equal(notes.filter((note) => note.includes("pwned")).length, 1, "the control: the name is told");
    assert.deepEqual(
      notes.flatMap((note) => [...obeyed(note), ...(note.includes("\n") ? ["\n"] : [])]),
      [],
    );
  });

  test("A18-8: is escaped in JSON, which stays the same value", () => {
    for (const json of [jsonText({ HOSTILE: HOSTILE }), toJson({ HOSTILE: HOSTILE })]) {
      // oxlint-disable-next-line eslint/no-control-regex -- the pattern finds control characters.
      assert.doesNotMatch(json.replaceAll("\n", ""), /[\u0000-\u001F\u007F-\u009F]/);
      assert.deepEqual(JSON.parse(json), { HOSTILE: HOSTILE });
    }
  });
});

describe("a line", () => {
  const others = fc.oneof(fc.string({ unit: "binary" }), fc.constant(HOSTILE), fc.constant("two  blanks"));

  test("A18-8: holds no control character but colours of ours, and is one line, whatever it is made of", () => {
    fc.assert(
      fc.property(others, others, (one, other) => {
        const lines = [line`  ${one}: ${paint("red", other)}`, padded(paint("bold", one), 9), joined([one, other], ", "), verbatim(other)];
        const [plain, painted] = [false, true].map((hasColour) => shown(lines, { hasColour }));
        for (const text of [plain ?? "", painted ?? ""]) {
          assert.deepEqual(obeyed(text), []);
          assert.equal(text.split("\n").length, lines.length + 1);
        }
        assert.equal(stripVTControlCharacters(painted ?? ""), plain);
      }),
    );
  });

  test("is as wide as was asked, by what is seen of it", () => {
    assert.equal(padded(paint("green", "OK"), 4).text, "OK  ");
    assert.equal(padded("longer", 4).text, "longer");
  });

  test("keeps the blanks of YAML alone", () => {
    assert.equal(verbatim("-    a:  b").text, "-    a:  b");
    assert.equal(line`  ${"  a  b "} c`.text, "  a b c");
  });
});
