import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { call, type DraftObject, fileOf } from "../../src/domain/convert/class-draft.ts";
import { objectsText, secretDataText } from "../../src/domain/convert/class-text.ts";
import { expressionText, firstFile, propertyPath, stepsOfGjson } from "../../src/domain/convert/expression.ts";
import { templateValue } from "../../src/domain/convert/secret-template.ts";
import { readObjects } from "../../src/domain/provider-class/objects.ts";
import { nodeAt, readDocument } from "../../src/domain/secret-data/document.ts";
import { parseExpression } from "../../src/domain/secret-data/parse-expression.ts";
import { parsePath } from "../../src/domain/secret-data/property-path.ts";

const secret = (name: string, changes: Partial<DraftObject> = {}): DraftObject => ({ type: "secret", name, ...changes });
const db = fileOf(secret("db"));
const textOf = (value: Parameters<typeof expressionText>[0]) =>
  expressionText(value, ({ object, index }) => (index === undefined ? object.name : `${object.name}/${index}`));

describe("an expression", () => {
  for (const [value, text] of [
    [db, "db"],
    [call("property", db, "user.name"), 'property(db, "user.name")'],
    [call("base64decode", call("property", db, "a")), 'base64decode(property(db, "a"))'],
    [call("join", ":", db, call("trim", fileOf(secret("pass")))), 'join(":", db, trim(pass))'],
    [call("certificates", fileOf(secret("2nd"))), 'certificates(object("2nd"))'],
    [call("privateKey", fileOf(secret("web", { history: 2 }), 1)), 'privateKey(object("web/1"))'],
    [call("dockerconfigjson", "registry.example.com", db, db), 'dockerconfigjson("registry.example.com", db, db)'],
    [call("join", '"\\\n', db), 'join("\\"\\\\\\n", db)'],
  ] as const) {
    test(`is written as ${text}, which the worker reads`, () => {
      assert.equal(textOf(value), text);
      assert.ok(parseExpression(text).ok);
    });
  }

  test("names the first of its files as the one that the key holds without it", () => {
    assert.deepEqual(firstFile(call("join", ":", call("trim", db), fileOf(secret("pass")))), db);
    assert.equal(firstFile(call("join", ":")), undefined);
  });
});

describe("a path of gjson", () => {
  for (const [path, written] of [
    ["user", "user"],
    ["user.name", "user.name"],
    ["hosts.0.name", "hosts[0].name"],
    ["123456789", "[123456789]"],
    ["1234567890", '["1234567890"]'],
    ["a.1234567890", 'a["1234567890"]'],
    ["a.01", 'a["01"]'],
    [String.raw`tls\.crt`, '["tls.crt"]'],
    [String.raw`data.tls\.crt.0`, 'data["tls.crt"][0]'],
    ["with space", '["with space"]'],
    ["user-name", "user-name"],
  ] as const) {
    test(`is a path of secretData: ${path}`, () => {
      const steps = stepsOfGjson(path);
      assert.ok(steps.ok);
      assert.equal(propertyPath(steps.value), written);
      assert.deepEqual(parsePath(written), { ok: true, value: steps.value });
    });
  }

  const foundAt = (text: string, path: string) => {
    const [steps, document] = [stepsOfGjson(path), readDocument(text)];
    assert.ok(steps.ok && document.ok);
    const written = parsePath(propertyPath(steps.value));
    assert.ok(written.ok);
    return nodeAt(document.value, written.value);
  };

  test("A9: takes an item of a list at the root, as gjson does", () => {
    assert.equal(foundAt('["x","y"]', "1"), "y");
    assert.equal(foundAt('[["x"],["y","z"]]', "1.0"), "y");
  });

  for (const [text, path, value] of [
    ['{"1":"member"}', "1", "member"],
    ['{"a":{"1":"member"}}', "a.1", "member"],
    ['{"01":"member"}', "01", "member"],
    ['{"12345678901234567890":"member"}', "12345678901234567890", "member"],
    ['{"a":{"12345678901234567890":"member"}}', "a.12345678901234567890", "member"],
    ['["x"]', "1", undefined],
    ['"text"', "0", undefined],
  ] as const) {
    test(`finds ${value ?? "nothing"} at ${path} of ${text}, as gjson does`, () => assert.equal(foundAt(text, path), value));
  }

  for (const path of ["a.#", "a.*", "a?", "a|b", "@this", "{a,b}", "[a]", "a.#(x==1)", "!x", String.raw`a\\b`, "a..b", ".", ""]) {
    test(`is refused where it is more than the path of one value: ${JSON.stringify(path)}`, () =>
      assert.equal(stepsOfGjson(path).ok, false));
  }
});

describe("the texts of a class", () => {
  const names = ["db", "null", "true", "on", "12", "1e3", "0x10", "2nd-db"];

  test("name each object as the worker reads it, whatever YAML takes such a word for", () => {
    const objects = names.map((name) => ({
      object: secret(name, { version: "0123", format: "pfx", encoding: "base64", history: 2 }),
      path: `${name}-2`,
    }));
    const read = readObjects(objectsText(objects));

    assert.ok(read.ok);
    assert.deepEqual(
      read.value.map(({ objectName, objectAlias, objectVersion, objectVersionHistory, objectFormat, objectEncoding, objectType }) => ({
        objectName,
        objectAlias,
        objectVersion,
        objectVersionHistory,
        objectFormat,
        objectEncoding,
        objectType,
      })),
      names.map((name) => ({
        objectName: name,
        objectAlias: `${name}-2`,
        objectVersion: "0123",
        objectVersionHistory: 2,
        objectFormat: "pfx",
        objectEncoding: "base64",
        objectType: "secret",
      })),
    );
  });

  test("hold expressions by Secret and key as any reader of YAML reads them", () => {
    const expressions = ['property(db, "a")', String.raw`property(db, "[\"a.b\"]")`, 'join(": #", db)', 'join("\'", db)', "trim(db)"];
    const keys = expressions.map((expression, index) => ({
      key: [".dockerconfigjson", "on", "7", "tls.crt", "a-b"][index] ?? "",
      expression,
    }));
    const text = secretDataText([
      { secret: "app", keys },
      { secret: "empty", keys: [] },
    ]);

    assert.deepEqual(parse(text ?? "", { version: "1.1" }), {
      app: Object.fromEntries(keys.map(({ key, expression }) => [key, expression])),
    });
    assert.deepEqual(parse(text ?? "", { version: "1.2" }), parse(text ?? "", { version: "1.1" }));
  });

  test("are no secretData where each key has its file as it is", () => {
    assert.equal(secretDataText([{ secret: "app", keys: [] }]), undefined);
  });
});

describe("a template of External Secrets Operator", () => {
  const user = fileOf(secret("user", { format: "pfx" }));
  const valueOf = (key: string) => (key === "user" ? user : key === "pass" ? db : undefined);

  for (const [template, text] of [
    ["{{ .user }}", "user"],
    ["{{- .user | toString -}}", "user"],
    ["{{.user|b64enc}}", "base64(user)"],
    ["{{ .user | b64dec | trim }}", "trim(base64decode(user))"],
    ["{{ .user\n  | trim\n}}", "trim(user)"],
    ['{{ (index . "user") | trim }}', "trim(user)"],
    ["{{ .user }}:{{ .pass }}", 'join(":", user, db)'],
    ["{{ .user }}{{ .pass }}", 'join("", user, db)'],
    ["{{ .user }} {{- .pass }}", 'join("", user, db)'],
    ["{{ .user -}} :\n{{- .pass }}", 'join(":", user, db)'],
    ["{{ .user -}}\u00a0{{- .pass }}", 'join("\u00a0", user, db)'],
    [" \n{{- .user -}}\n", "user"],
    ["{{ .user | b64dec | pkcs12cert }}", "certificates(user)"],
    ["{{ .user | b64dec | pkcs12key }}\n", "privateKey(user)"],
    ['{"auths":{"r.io":{"username":"{{ .user }}","password":"{{ .pass }}"}}}', 'dockerconfigjson("r.io", user, db)'],
  ] as const) {
    test(`is an expression: ${template}`, () => {
      const value = templateValue(template, valueOf);
      assert.ok(value.ok, JSON.stringify(value));
      assert.equal(textOf(value.value), text);
    });
  }

  const withAuth = (auth: string): string => `{"auths":{"r.io":{"username":"{{ .user }}","password":"{{ .pass }}","auth":"${auth}"}}}`;

  for (const auth of [
    '{{ printf "%s:%s" .user .pass | b64enc }}',
    '{{- (printf "%s:%s"\n .user .pass) | b64enc -}}',
    '{{ printf "%s:%s" (index . "user") .pass | b64enc }}',
  ]) {
    test(`is a login where auth encodes its username and password: ${JSON.stringify(auth)}`, () => {
      const value = templateValue(withAuth(auth), valueOf);
      assert.ok(value.ok, JSON.stringify(value));
      assert.equal(textOf(value.value), 'dockerconfigjson("r.io", user, db)');
    });
  }

  for (const auth of ["{{ .pass }}", '{{ printf "%s:%s" .pass .user | b64enc }}', '{{ printf "%s:%s" .user .pass }}', "dXNlcjpwYXNz", ""]) {
    test(`is no login where auth is something of its own, which was dropped without a word: ${JSON.stringify(auth)}`, () => {
      const value = templateValue(withAuth(auth), valueOf);
      assert.ok(!value.ok);
      assert.match(value.error, /^auth of the login is not its username and password/);
    });
  }

  test("is no login where the configuration has more than auths, which was dropped without a word", () => {
    const value = templateValue('{"credsStore":"x","auths":{"r.io":{"username":"{{ .user }}","password":"{{ .pass }}"}}}', valueOf);
    assert.ok(!value.ok);
    assert.match(value.error, /^besides auths, it contains credsStore, /);
  });

  test("has blanks left out beside PEM alone, not beside the value at its other end", () => {
    const pem = "{{ .user | b64dec | pkcs12cert }}";

    assert.deepEqual(
      [`${pem}\n`, `\n${pem}{{ .pass }}`, `{{ .pass }}${pem}\n`, `${pem}{{ .pass }}\n`, `\n{{ .pass }}${pem}`].map(
        (template) => templateValue(template, valueOf).ok,
      ),
      [true, true, true, false, false],
    );
  });

  for (const template of [
    "fixed",
    "user={{ .user }}",
    "{{ .user }}\n",
    "{{ .nobody }}",
    "{{ .user | upper }}",
    "{{ .user | pkcs12cert }}",
    '{{ .user | pkcs12certPass "" }}',
    "{{ if .user }}x{{ end }}",
    "{{ .user }}:{{ .pass }}@{{ .user }}",
    "{{ .user }}{{ .pass",
    "{{-.user}}",
    "{{.user-}}",
    " {{ .user -}}",
    "{{ .user }} }}",
    "{{{ .user }}",
    "{{}}",
    '{"auths":{"{{ .user }}":{"username":"{{ .user }}","password":"{{ .pass }}"}}}',
    '{"auths":{"r.io":{"username":"fixed","password":"{{ .pass }}"}}}',
    '{"auths":{"r.io":{"username":"{{ .user }}","password":"{{ .pass }}","email":"a@b"}}}',
    '{"auths":{"a":{"username":"{{ .user }}","password":"{{ .pass }}"},"b":{}}}',
  ]) {
    test(`is refused with what to do: ${JSON.stringify(template)}`, () => {
      const value = templateValue(template, valueOf);
      assert.ok(!value.ok);
      assert.match(value.error, /; |which no entry of spec\.data defines/);
    });
  }

  for (const [name, made] of [
    ["an action of blanks that has no end", (length: number) => "{{".padEnd(length)],
    ["an action of blanks with one brace at its end", (length: number) => `${"{{".padEnd(length - 1)}}`],
    ["blanks between an action's dashes", (length: number) => `${"{{-".padEnd(length - 3)}-}}`],
    ["blanks that a dash does not reach", (length: number) => `{{ .a -}}x${" ".repeat(length - 20)}x{{- .b }}`],
    ["openings alone", (length: number) => "{{".repeat(length / 2)],
    ["empty actions", (length: number) => "{{}}".repeat(length / 4)],
  ] as const) {
    test(`takes a time in proportion to its length: ${name}`, () => {
      for (const length of [1_000, 10_000]) {
        const plain = secondsOf("x".repeat(length));
        const took = secondsOf(made(length));
        assert.ok(took < 0.25 + 10 * plain, `${length} characters took ${took} s, a plain text ${plain} s`);
      }
    });
  }
});

function secondsOf(template: string): number {
  const start = performance.now();
  templateValue(template, () => undefined);
  return (performance.now() - start) / 1_000;
}
