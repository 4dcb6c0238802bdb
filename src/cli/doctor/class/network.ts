import { assertNever } from "../../../domain/assert-never.ts";
import type { VaultAddress } from "../../../domain/ports/vault-client.ts";
import type { ReachAnswer } from "../../../domain/reach.ts";
import type { AzureAccess } from "../../shared/command.ts";
import { type ClassFinding, fineLeaf, found } from "./leaves.ts";

interface Target {
  readonly host: string;
  /** Description of the host for messages, such as `the vault`. */
  readonly what: string;
  /** Advice if the host name does not exist. */
  readonly ifUnresolved: string;
}

/** Advice if the sign-in service's name does not exist. The cause is this machine, unless the class specifies the wrong cloud. */
const SIGN_IN_UNRESOLVED =
  "Repair DNS or the network access of this machine, which cannot resolve the cloud's sign-in service; correct cloudName of the class only if other machines cannot resolve it either.";

/** Checks the sign-in service first, then the vault: without a token, `doctor` cannot query the vault. */
export async function checkNetwork(
  { reach }: AzureAccess,
  address: VaultAddress,
  options: { readonly signsIn: boolean; readonly signal: AbortSignal },
): Promise<readonly ClassFinding[]> {
  const vaultHost = new URL(address.vaultUrl).hostname;
  const targets: readonly Target[] = [
    ...(options.signsIn
      ? [{ host: new URL(address.authorityHost).hostname, what: "the sign-in service", ifUnresolved: SIGN_IN_UNRESOLVED }]
      : []),
    {
      host: vaultHost,
      what: "the vault",
      ifUnresolved: `Create the vault ${vaultHost.split(".")[0] ?? ""}, or correct keyvaultName of the class; if other machines can resolve its name, repair DNS on this machine.`,
    },
  ];
  const findings: ClassFinding[] = [];
  for (const target of targets) {
    const finding = describeReach(target, await reach({ host: target.host }, options.signal));
    findings.push(finding);
    if (finding.state !== "OK") break;
  }
  return findings;
}

/** Codes of a certificate whose signer this machine does not know. With any other code, the certificate itself is wrong. */
const UNKNOWN_SIGNERS: ReadonlySet<string> = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_UNTRUSTED",
]);

function describeReach({ host, what, ifUnresolved }: Target, { reach, proxy }: ReachAnswer): ClassFinding {
  const way = proxy === undefined ? "directly" : `through the proxy ${proxy}`;
  const target = `${what} ${host}`;
  switch (reach.kind) {
    case "reached":
      return fineLeaf("network-ok", `${target} can be reached ${way}, and its certificate is trusted`);
    case "unresolved":
      return found("host-unresolved", `the name of ${target} does not exist (NXDOMAIN)`, ifUnresolved);
    case "dnsSilent":
      return found("name-service-silent", `the name of ${target} cannot be looked up (${reach.code})`, "Repair DNS on this machine.");
    case "proxyUnreachable":
      return found(
        "proxy-unreachable",
        `the proxy ${proxy ?? ""} cannot be reached (${reach.code}), and neither can ${target}`,
        "Correct HTTPS_PROXY, or exempt the host in NO_PROXY.",
      );
    case "proxyRefuses":
      return found(
        "proxy-refuses",
        `the proxy ${proxy ?? ""} does not open a tunnel to ${target} (HTTP ${reach.status})`,
        `Configure the proxy to allow ${host}; if it already does, the name does not exist: ${lowerFirst(ifUnresolved)}`,
      );
    case "refused":
      return found(
        "host-refuses",
        `${target} refuses the connection (${reach.code}) when contacted ${way}`,
        `Allow connections to ${host}, port 443.`,
      );
    case "silent":
      return found(
        "host-silent",
        `${target} does not answer when contacted ${way}`,
        `Allow connections to ${host}, port 443, in firewalls and network policies.`,
      );
    case "untrusted":
      return untrusted({ host, target }, reach);
    default:
      return assertNever(reach);
  }
}

function untrusted(
  { host, target }: { readonly host: string; readonly target: string },
  { code, issuer }: { readonly code: string; readonly issuer: string },
): ClassFinding {
  const signer = issuer === "" ? "an unnamed CA" : JSON.stringify(issuer);
  if (UNKNOWN_SIGNERS.has(code)) {
    const fix = `If a proxy intercepts TLS, provide the certificate of ${signer} in NODE_EXTRA_CA_CERTS; otherwise, find out who answers for ${host}.`;
    return found("authority-unknown", `the certificate of ${target} is signed by ${signer}, which is not trusted here (${code})`, fix);
  }
  const fix = `Find out who answers for ${host}, and check the clock of this machine.`;
  return found("certificate-wrong", `the certificate of ${target}, signed by ${signer}, is not valid (${code})`, fix);
}

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}
