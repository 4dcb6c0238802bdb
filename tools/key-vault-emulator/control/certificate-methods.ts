import { EmulatorInputError } from "../input-error.ts";
import { type CertificateFile, certificateFromPem, certificateFromPfx } from "../pki/certificate-file.ts";
import {
  type CertificatePlan,
  type CertificateVersion,
  type ContentType,
  certificateFacts,
  type SecretForm,
  type StoredCertificate,
} from "../vault/certificate-collection.ts";
import { deleteCertificate, makeCertificate, storeCertificate, updateCertificate } from "../vault/certificate-store.ts";
import type { Vault } from "../vault/vault-store.ts";
import type { World } from "../world.ts";
import { type Input, inputs, parseInput } from "./inputs.ts";

export interface CertificateMethods {
  /** Creates a new version, with the key and the secret of the same name and version. */
  createCertificate(input: Input<"createCertificate">): Promise<CertificateVersion>;
  /** Imports `pem` or `pfx`. Certificates stay in the order of the file. */
  importCertificate(input: Input<"importCertificate">): Promise<CertificateVersion>;
  /** Creates a new version of a created certificate, with a new key. */
  rotateCertificate(input: Input<"certificate">): Promise<CertificateVersion>;
  /** Changes the certificate, its key and its secret alike. Without `version`, changes the current version. */
  setCertificateAttributes(input: Input<"setCertificateAttributes">): Promise<CertificateVersion>;
  /** Deletes the certificate with its key and its secret. */
  deleteCertificate(input: Input<"certificate">): Promise<void>;
  /** Oldest first. */
  certificateVersions(input: Input<"certificate">): Promise<readonly CertificateVersion[]>;
}

export function certificateMethods({ vaults, authorities }: World): CertificateMethods {
  const requireVault = (name: string): Vault => vaults.require(name);
  return {
    createCertificate: async (input) => {
      const parsed = parseInput(inputs.createCertificate, input);
      const { name, enabled, tags } = parsed;
      const vault = withRoomFor(requireVault(parsed.vault), name);
      const content = await makeCertificate(planOf(parsed), formOf(parsed), authorities);
      return certificateFacts(storeCertificate(vault, name, { ...content, enabled, tags }), vault.url);
    },
    importCertificate: async (input) => {
      const parsed = parseInput(inputs.importCertificate, input);
      const { name, enabled, tags, pfxSettings } = parsed;
      const vault = withRoomFor(requireVault(parsed.vault), name);
      const { file, contentType } = fileOf(parsed);
      const form: SecretForm = { contentType: parsed.contentType ?? contentType, pfx: pfxSettings, order: "leaf-first" };
      return certificateFacts(storeCertificate(vault, name, { ...file, form, enabled, tags }), vault.url);
    },
    rotateCertificate: async (input) => {
      const asked = parseInput(inputs.certificate, input);
      const vault = requireVault(asked.vault);
      const { plan, form, tags } = existing(vault.certificates.find(asked.name), asked);
      if (plan === undefined) throw new EmulatorInputError(`name: ${asked.name} was imported; import its next version`);
      const content = await makeCertificate(plan, form, authorities);
      return certificateFacts(storeCertificate(vault, asked.name, { ...content, tags }), vault.url);
    },
    setCertificateAttributes: async (input) => {
      const { vault: vaultName, name, version, ...changes } = parseInput(inputs.setCertificateAttributes, input);
      const vault = requireVault(vaultName);
      const changed = updateCertificate(vault, { name, version }, changes);
      return certificateFacts(existing(changed, { vault: vaultName, name, version }), vault.url);
    },
    deleteCertificate: async (input) => {
      const asked = parseInput(inputs.certificate, input);
      if (!deleteCertificate(requireVault(asked.vault), asked.name)) existing(undefined, asked);
    },
    certificateVersions: async (input) => {
      const asked = parseInput(inputs.certificate, input);
      const vault = requireVault(asked.vault);
      existing(vault.certificates.find(asked.name), asked);
      return vault.certificates.versions(asked.name).map((certificate) => certificateFacts(certificate, vault.url));
    },
  };
}

type Creation = ReturnType<(typeof inputs)["createCertificate"]["parse"]>;

function planOf({ name, keyType, size, curve, issuer, subject, dnsNames, validityDays }: Creation): CertificatePlan {
  const keySpec = keyType === "RSA" ? ({ kind: "RSA", size } as const) : ({ kind: "EC", curve } as const);
  return { keySpec, subject: subject ?? `CN=${name}`, dnsNames, issuer, validityDays };
}

function formOf({ contentType, pfx, order }: Creation): SecretForm {
  return { contentType, pfx, order };
}

type Import = Pick<ReturnType<(typeof inputs)["importCertificate"]["parse"]>, "pem" | "pfx" | "password">;

function fileOf({ pem, pfx, password }: Import): { readonly file: CertificateFile; readonly contentType: ContentType } {
  if (pem !== undefined && pfx === undefined) return { file: certificateFromPem(pem), contentType: "application/x-pem-file" };
  if (pfx !== undefined && pem === undefined) {
    return { file: certificateFromPfx(Buffer.from(pfx, "base64"), password), contentType: "application/x-pkcs12" };
  }
  throw new EmulatorInputError("pem: give either pem or pfx");
}

/** A certificate uses the name for a key and a secret as well, so that no other key or secret may have it. */
function withRoomFor(vault: Vault, name: string): Vault {
  const isTaken =
    vault.certificates.find(name) === undefined && [vault.secrets, vault.keys].some((objects) => objects.find(name) !== undefined);
  if (!isTaken) return vault;
  throw new EmulatorInputError(`name: the vault ${vault.name} has a secret or key ${name}; delete it or choose another name`);
}

interface Asked {
  readonly vault: string;
  readonly name: string;
  readonly version?: string | undefined;
}

function existing(certificate: StoredCertificate | undefined, { vault, name, version }: Asked): StoredCertificate {
  if (certificate !== undefined) return certificate;
  const what = version === undefined ? `no certificate ${name}` : `no version ${version} of the certificate ${name}`;
  throw new EmulatorInputError(`name: the vault ${vault} has ${what}; create it first`);
}
