import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import forge from "node-forge";
import { API_PORT, API_SERVICE_ADDRESS, NODE_ADDRESS, NODE_NAME } from "./node-layout.ts";

/** Files with the identities of a temporary cluster. All leaves share one key, because a key takes longer than all the rest. */
export interface NodePki {
  readonly ca: string;
  readonly caKey: string;
  /** Private key of every leaf. */
  readonly key: string;
  readonly apiServer: string;
  readonly kubelet: string;
  readonly apiServerAsKubeletClient: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  readonly kubeconfigs: Readonly<Record<KubeconfigUser, string>>;
  /** Issues a serving certificate of the cluster's CA for a test's own TLS server. */
  serving(hosts: readonly string[]): { readonly certificate: string; readonly key: string };
  /** Writes the administrator's kubeconfig for a server with another address. */
  adminKubeconfig(server: string, file: string): void;
}

export type KubeconfigUser = "admin" | "kube-controller-manager" | "kube-scheduler" | "kube-proxy" | "kubelet";

interface Subject {
  readonly commonName: string;
  readonly organisation?: string;
  readonly hosts?: readonly string[];
}

const USERS: Readonly<Record<KubeconfigUser, Subject>> = {
  admin: { commonName: "admin", organisation: "system:masters" },
  "kube-controller-manager": { commonName: "system:kube-controller-manager" },
  "kube-scheduler": { commonName: "system:kube-scheduler" },
  "kube-proxy": { commonName: "system:kube-proxy" },
  kubelet: { commonName: `system:node:${NODE_NAME}`, organisation: "system:nodes", hosts: [NODE_NAME, NODE_ADDRESS] },
};

const API_SERVER: Subject = {
  commonName: "kube-apiserver",
  hosts: [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "127.0.0.1",
    API_SERVICE_ADDRESS,
    NODE_ADDRESS,
  ],
};

const KUBELET_CLIENT: Subject = { commonName: "kube-apiserver-kubelet-client", organisation: "system:masters" };
const DAY = 86_400_000;

export function writePki(folder: string): NodePki {
  const authority = newAuthority();
  const leafKey = newKey();
  const write = (name: string, content: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  const leaf = (subject: Subject): string => issue(authority, leafKey.public, subject);
  const kubeconfig = (user: KubeconfigUser, server: string): string =>
    JSON.stringify(kubeconfigOf({ server, ca: authority.certificate, certificate: leaf(USERS[user]), key: leafKey.private }));
  const inside = (user: KubeconfigUser): string => write(`${user}.kubeconfig`, kubeconfig(user, `https://${NODE_ADDRESS}:${API_PORT}`));
  const serviceAccounts = newKey();
  return {
    ca: write("ca.crt", authority.certificate),
    caKey: write("ca.key", authority.key),
    key: write("leaf.key", leafKey.private),
    apiServer: write("kube-apiserver.crt", leaf(API_SERVER)),
    kubelet: write("kubelet.crt", leaf(USERS.kubelet)),
    apiServerAsKubeletClient: write("kubelet-client.crt", leaf(KUBELET_CLIENT)),
    serviceAccountKey: write("service-accounts.key", serviceAccounts.private),
    serviceAccountPublicKey: write("service-accounts.pub", serviceAccounts.public),
    kubeconfigs: {
      admin: inside("admin"),
      "kube-controller-manager": inside("kube-controller-manager"),
      "kube-scheduler": inside("kube-scheduler"),
      "kube-proxy": inside("kube-proxy"),
      kubelet: inside("kubelet"),
    },
    serving: (hosts) => ({ certificate: leaf({ commonName: hosts[0] ?? "test", hosts }), key: leafKey.private }),
    adminKubeconfig: (server, file) => writeFileSync(file, kubeconfig("admin", server), { mode: 0o600 }),
  };
}

interface KeyPair {
  readonly private: string;
  readonly public: string;
}

function newKey(): KeyPair {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return { private: pair.privateKey, public: pair.publicKey };
}

interface Authority {
  readonly certificate: string;
  readonly key: string;
}

function newAuthority(): Authority {
  const pair = newKey();
  const name = [{ name: "commonName", value: "test node CA" }];
  const certificate = newCertificate(pair.public, name, name);
  certificate.setExtensions([
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, digitalSignature: true, critical: true },
    { name: "subjectKeyIdentifier" },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(pair.private), forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(certificate), key: pair.private };
}

function issue(authority: Authority, publicKey: string, { commonName, organisation, hosts = [] }: Subject): string {
  const subject = [
    ...(organisation === undefined ? [] : [{ name: "organizationName", value: organisation }]),
    { name: "commonName", value: commonName },
  ];
  const issuer = forge.pki.certificateFromPem(authority.certificate);
  const certificate = newCertificate(publicKey, subject, issuer.subject.attributes);
  certificate.setExtensions([
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
    { name: "extKeyUsage", serverAuth: true, clientAuth: true },
    ...(hosts.length === 0 ? [] : [{ name: "subjectAltName", altNames: hosts.map(alternativeName) }]),
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(authority.key), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

function newCertificate(publicKey: string, subject: forge.pki.CertificateField[], issuer: forge.pki.CertificateField[]) {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = `01${forge.util.bytesToHex(forge.random.getBytesSync(15))}`;
  certificate.validity.notBefore = new Date(Date.now() - DAY);
  certificate.validity.notAfter = new Date(Date.now() + 30 * DAY);
  certificate.setSubject(subject);
  certificate.setIssuer(issuer);
  return certificate;
}

/** Types of RFC 5280's GeneralName: 2 is a DNS name, 7 an address. */
function alternativeName(host: string): object {
  return /^[\d.]+$/.test(host) ? { type: 7, ip: host } : { type: 2, value: host };
}

interface KubeconfigParts {
  readonly server: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

function kubeconfigOf({ server, ca, certificate, key }: KubeconfigParts): unknown {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "node", cluster: { server, "certificate-authority-data": base64(ca) } }],
    users: [{ name: "node", user: { "client-certificate-data": base64(certificate), "client-key-data": base64(key) } }],
    contexts: [{ name: "node", context: { cluster: "node", user: "node" } }],
    "current-context": "node",
  };
}
