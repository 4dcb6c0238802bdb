import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { DerivationBudget } from "../../src/domain/derivation-budget.ts";
import { evaluateAll, MAX_VALUE } from "../../src/domain/secret-data/evaluate.ts";
import { filesIn } from "../../src/domain/secret-data/expression.ts";
import { MAX_EXPRESSION, parseExpression } from "../../src/domain/secret-data/parse-expression.ts";
import { pki } from "../../src/pki/pki.ts";
import { certificate, key } from "../support/fixtures/expression-files.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

const FILES: Files = {
  db: '{"user": {"name": "ana", "id": 12345678901234567890}, "a.b": [true, null, 1.50], "hosts": ["x", "y"], "password": "p\\"w"}',
  settings: "port: 0755\nratio: 1.50\nname: shop\nempty:\nlist: [a, 1]\nbase: &base {x: 1}\nuse: *base\n",
  // Line breaks in a JSON string, and in a YAML string.
  pasted: '{"pem":"l1\nl2\tl3","list":["a\\"\r\nb"]}',
  flow: '{a: "l1\nl2"}',
  "plain-text": "  Grüße \n",
  binary: Uint8Array.from([0, 255, 254]),
  tls: `${key}${certificate("leaf")}${certificate("root")}`,
};

function made(text: string, files: Files = FILES): string {
  const bytes = new Map(Object.entries(files).map(([name, value]) => [name, Buffer.from(value)]));
  const [value] = evaluateAll([text], { files: bytes, pki, budget: new DerivationBudget(), saltKey: new Uint8Array(32) });
  assert.ok(value);
  return value.ok ? Buffer.from(value.value).toString() : `! ${value.error.message}`;
}

describe("an expression", () => {
  for (const [text, value] of [
    ['property(db, "user.name")', "ana"],
    ['property(db, "user.id")', "12345678901234567890"],
    ['property(db, "user")', '{"name":"ana","id":12345678901234567890}'],
    ['property(db, "[\\"a.b\\"]")', "[true,null,1.50]"],
    ['property(db, "[\\"a.b\\"][2]")', "1.50"],
    ['property(db, "hosts[1]")', "y"],
    ['property(db, "password")', 'p"w'],
    ['property(pasted, "pem")', "l1\nl2\tl3"],
    ['property(pasted, "list[0]")', 'a"\r\nb'],
    ['property(flow, "a")', "l1 l2"],
    ['property(settings, "port")', "0755"],
    ['property(settings, "ratio")', "1.50"],
    ['property(settings, "empty")', "null"],
    ['property(settings, "list")', '["a",1]'],
    ['property(settings, "use.x")', "1"],
    ["base64(binary)", "AP/+"],
    ['base64decode("AP/+")', undefined],
    ["hex(binary)", "00fffe"],
    ["upper(trim(plain-text))", "GRÜSSE"],
    ["lower(trim(plain-text))", "grüße"],
    ["uri(trim(plain-text))", "Gr%C3%BC%C3%9Fe"],
    ['join("-", "a", property(db, "user.name"), "b")', "a-ana-b"],
    ["certificates(tls)", `${certificate("leaf")}${certificate("root")}`],
    ["leafCertificate(tls)", certificate("leaf")],
    ["issuerCertificates(tls)", certificate("root")],
    ["privateKey(tls)", key],
    ["  db  ", FILES["db"]],
    ['object("plain-text")', FILES["plain-text"]],
  ] as const) {
    if (value !== undefined) test(`${text} gives its value`, () => assert.equal(made(text), value));
  }

  test("goes both ways through base64 and hex", () => {
    assert.equal(made("hex(hexdecode(hex(binary)))"), "00fffe");
    assert.equal(made("hex(base64decode(base64(binary)))"), "00fffe");
  });

  test("makes stores that open with their password, with the same bytes each time, and others for other content", () => {
    const { key: own, cert } = selfSignedCertificate();
    const files = { ...FILES, web: `${own}${cert}`, password: "s3cret", other: "an0ther" };
    assert.equal(
      made("pemFromPkcs12(pkcs12(web, password), password)", files),
      made('join("", privateKey(web), certificates(web))', files),
    );
    assert.equal(made("certificates(pemFromPkcs12(pkcs12TrustStore(web, password), password))", files), cert.replaceAll("\r", ""));
    for (const store of ["pkcs12", "pkcs12TrustStore", "jksTrustStore"]) {
      assert.equal(made(`hex(${store}(web, password))`, files), made(`hex(${store}(web, password))`, files));
      assert.notEqual(made(`hex(${store}(web, password))`, files), made(`hex(${store}(web, other))`, files));
    }
    assert.equal(
      made("pemFromPkcs12(pkcs12(web, password), other)", files),
      "! pemFromPkcs12 at character 1: it is not a PKCS#12 file that opens with this password",
    );
    assert.equal(made("pkcs12(certificates(web), password)", files), "! pkcs12 at character 1: it contains no private key");
    assert.equal(made("pkcs12(web, binary)", files), "! pkcs12 at character 1: its password: it is not UTF-8 text");
  });

  test("A2: of a value of aliases, has no more characters than a value may have", () => {
    const long = `k: &a ${"x".repeat(12_000)}\nv: [${"*a,".repeat(4_000)}]`;
    assert.equal(made('property(a, "v")', { a: long }), "! property at character 1: with its aliases it has more than 1048576 characters");
  });

  test("A3: of many keys, gives up what takes more than a Secret's functions may be given", () => {
    const texts = Array.from({ length: 100 }, () => `property(join("@", ${Array.from({ length: 40 }, () => "a").join(", ")}), "x")`);
    const files = new Map([["a", Buffer.from("x".repeat(25_000))]]);
    const values = evaluateAll(texts, { files, pki, budget: new DerivationBudget(), saltKey: new Uint8Array(32) });
    const errors = new Set(values.map((value) => (value.ok ? "" : value.error.message)));
    assert.deepEqual(
      [...errors],
      [
        "property at character 1: it has no such property",
        "join at character 10: the functions of its Secret process more than 16777216 bytes in total",
      ],
    );
  });

  test("A4: says nothing of a value that was put into a PKCS#12 file", () => {
    const secret = "S3cret!pa55word-of-the-vault";
    const around = (before: string, after: string): string =>
      `pemFromPkcs12(join("", hexdecode("${before}"), a, hexdecode("${after}")), "x")`;
    const head = "3043020103300f06092a864886f70d010701a0020400302d301f300906052b0e03021a0500041400";
    for (let at = 2; at <= head.length; at += 2) {
      const text = made(around(head.slice(0, at), "0500"), { a: secret });
      assert.equal(text, "! pemFromPkcs12 at character 1: it is not a PKCS#12 file that opens with this password");
    }
  });

  test("names its files once, in the order of the text", () => {
    const parsed = parseExpression('join(":", b, upper(a), object("db/0"), b)');
    assert.ok(parsed.ok);
    assert.deepEqual(filesIn(parsed.value), ["b", "a", "db/0"]);
  });

  for (const [text, error] of [
    ['property(db, "user.mail")', "property at character 1: it has no such property"],
    ['upper(property(db, "hosts[7]"))', "property at character 7: it has no such property"],
    ['property(db, "__proto__")', "property at character 1: it has no such property"],
    ['property(binary, "a")', "property at character 1: it is not UTF-8 text"],
    ['property(broken, "a")', "property at character 1: it is neither JSON nor YAML"],
    ['property(deep, "a")', "property at character 1: it is nested deeper than 200 levels"],
    ['property(bomb, "z")', "property at character 1: with its aliases it has more than 100000 values"],
    ["trim(binary)", "trim at character 1: it is not UTF-8 text"],
    ["base64decode(plain-text)", "base64decode at character 1: it is not base64 with padding"],
    ["hexdecode(plain-text)", "hexdecode at character 1: it contains anything other than pairs of hexadecimal digits"],
    ["certificates(db)", "certificates at character 1: it contains no certificate"],
    ["issuerCertificates(leafCertificate(tls))", "issuerCertificates at character 1: it contains no second certificate"],
    ["privateKey(certificates(tls))", "privateKey at character 1: it contains no private key"],
    ["hex(large)", `hex at character 1: it would have more than ${MAX_VALUE} bytes`],
    ['join("", large, large)', `join at character 1: it would have more than ${MAX_VALUE} bytes`],
  ] as const) {
    test(`${text} says where it fails, and nothing of the value`, () => {
      const bomb = [
        "a: &a [1,1,1,1,1,1,1,1,1,1]",
        ..."bcdef".split("").map((name, at) => `${name}: &${name} [${`*${"abcde"[at]},`.repeat(10)}]`),
      ];
      const files = {
        ...FILES,
        broken: "{a: [",
        deep: "[".repeat(201) + "]".repeat(201),
        bomb: bomb.join("\n"),
        large: "x".repeat(600_000),
      };
      assert.equal(made(text, files), `! ${error}`);
    });
  }

  for (const [text, at, message] of [
    ["", 1, "a function, a file, or a text is missing"],
    ["property(db", 12, "a comma or a closing parenthesis is missing"],
    ["property(db,)", 13, "a function, a file, or a text is missing"],
    ['property(db "a")', 13, "a comma or a closing parenthesis is missing"],
    ["property(db, user)", 14, "the path of property must be a text in quotation marks"],
    ['property(db, "a..b")', 16, "the path cannot be read"],
    ['property(db, ".a")', 15, "the path cannot be read"],
    ["property(db)", 1, "property takes other parameters"],
    ["propperty(db)", 1, 'the function "propperty" does not exist'],
    ["upper(db) x", 11, "there is text after the end of the expression"],
    ["upper(db) ?", 11, "there is text after the end of the expression"],
    ['"text"', 1, "it names no object"],
    ['join("a", "b")', 1, "it names no object"],
    ['join(db, "b")', 6, "the separator of join must be a text in quotation marks"],
    ["object(db)", 1, "object takes the name of a file as a text"],
    ['upper("a\\x")', 7, "a text has an escape or a line break that JSON does not allow"],
    ['dockerconfigjson("r", db, db, "r")', 1, "dockerconfigjson takes other parameters"],
    ['connectionString("Server", db, db, db)', 32, "the key of connectionString must be a text in quotation marks"],
    [`${"upper(".repeat(21)}db${")".repeat(21)}`, 121, "functions are nested more than 20 deep"],
    [`upper(${"x".repeat(MAX_EXPRESSION)})`, MAX_EXPRESSION + 1, `an expression can have at most ${MAX_EXPRESSION} characters`],
  ] as const) {
    test(`is refused where it is ${text.slice(0, 60)}`, () => {
      const parsed = parseExpression(text);
      assert.ok(!parsed.ok);
      assert.deepEqual([parsed.error.at, parsed.error.message], [at, message]);
      assert.notEqual(parsed.error.hint, "");
    });
  }
});
