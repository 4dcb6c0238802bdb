/** OpenSSL's command line: writes the files that vaults hold, and gives a second opinion on what is made of them. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const version = spawnSync("openssl", ["version"], { encoding: "utf8" });

/** Why a suite cannot run, for the option `skip`; false where it can. */
export const OPENSSL_MISSING: string | false = (version.stdout ?? "").startsWith("OpenSSL 3.") ? false : "SKIPPED: needs openssl 3";

/** Options of `openssl req` and `openssl genpkey` for a key. */
export const KEY_KINDS = {
  rsa: ["rsa:2048"],
  "P-256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  "P-384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
  "P-521": ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
  ed25519: ["ed25519"],
} as const;

export type KeyKind = keyof typeof KEY_KINDS;

/** How OpenSSL encrypts a PKCS#12 file: as it does today, as Key Vault and OpenSSL 1 do, and two of the ways between. */
export const PFX_SETTINGS = {
  modern: [],
  legacy: ["-legacy"],
  "legacy 3DES": ["-legacy", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
  "AES-128, SHA-512": ["-certpbe", "AES-128-CBC", "-keypbe", "AES-128-CBC", "-macalg", "sha512"],
} as const;

export type PfxSetting = keyof typeof PFX_SETTINGS;

/** A certificate and its key, PEM, in files of a workshop. */
export interface Issued {
  readonly name: string;
  readonly certificate: string;
  readonly key: string;
}

/** A folder for the files of one suite. */
export class Workshop {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "openssl-"));

  /** stdout; throws with stderr. */
  run(args: readonly string[], input?: Uint8Array | string): Buffer {
    const { status, stdout, stderr } = spawnSync("openssl", [...args], { cwd: this.#folder, ...(input === undefined ? {} : { input }) });
    if (status !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr.toString()}`);
    return stdout;
  }

  write(name: string, contents: Uint8Array | string): string {
    writeFileSync(path.join(this.#folder, name), contents);
    return name;
  }

  read(name: string): string {
    return readFileSync(path.join(this.#folder, name), "utf8");
  }

  /** Self-signed where nobody else signs. */
  issue(name: string, kind: KeyKind, issuer?: Issued): Issued {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`];
    const extensions = ["-addext", "subjectKeyIdentifier=hash", "-addext", "basicConstraints=CA:TRUE"];
    const signer = issuer === undefined ? [] : ["-CA", `${issuer.name}.crt`, "-CAkey", `${issuer.name}.key`];
    const authority = issuer === undefined ? [] : ["-addext", "authorityKeyIdentifier=keyid"];
    const subject = ["-subj", `/CN=${name}`, "-days", "30"];
    this.run(["req", "-x509", "-nodes", "-newkey", ...KEY_KINDS[kind], ...files, ...signer, ...subject, ...extensions, ...authority]);
    return { name, certificate: this.read(`${name}.crt`), key: this.read(`${name}.key`) };
  }

  /** With the empty password. `others` follow the certificate of the key. */
  pfx({ name }: Issued, others: readonly Issued[], setting: PfxSetting, more: readonly string[] = []): Buffer {
    this.write("others.pem", others.map(({ certificate }) => certificate).join(""));
    const chain = others.length === 0 ? [] : ["-certfile", "others.pem"];
    const files = ["-inkey", `${name}.key`, "-in", `${name}.crt`, ...chain];
    return this.run(["pkcs12", "-export", ...files, "-passout", "pass:", ...PFX_SETTINGS[setting], ...more]);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
