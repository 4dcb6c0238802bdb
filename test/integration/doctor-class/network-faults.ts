import type { DoctoredClasses } from "./doctored-classes.ts";
import type { Fault } from "./fault.ts";

const DIRECT = { HTTPS_PROXY: "", https_proxy: "" };

/** Faults on the route to the vault. */
export function networkFaults(here: DoctoredClasses): readonly Fault[] {
  return [
    {
      leaf: "host-unresolved",
      plant: () => here.aClass(),
      asked: async () => ({ environment: DIRECT, names: "ENOTFOUND" }),
      message: /NXDOMAIN/,
    },
    {
      leaf: "network-elsewhere",
      plant: async () => {
        const place = await here.aClass();
        const condition = {
          status: "True",
          reason: "Synced",
          message: "",
          observedGeneration: 1,
          lastTransitionTime: "2026-01-01T00:00:00Z",
        };
        await here.setStatus(place, {
          conditions: [
            { type: "Synced", ...condition },
            { type: "Fresh", ...condition },
          ],
        });
        return place;
      },
      asked: async () => ({ environment: DIRECT, names: "ENOTFOUND" }),
      message: /NXDOMAIN.*the vault answered the worker's last check/,
    },
    {
      leaf: "name-service-silent",
      plant: () => here.aClass(),
      asked: async () => ({ environment: DIRECT, names: "EAI_AGAIN" }),
      message: /EAI_AGAIN/,
    },
    {
      leaf: "proxy-unreachable",
      plant: () => here.aClass(),
      asked: async () => ({
        environment: { HTTPS_PROXY: "http://user:hidden@127.0.0.1:1", https_proxy: "http://user:hidden@127.0.0.1:1" },
      }),
      message: /^the proxy 127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)/,
    },
    {
      leaf: "proxy-refuses",
      plant: () => here.aClass({ parameters: { keyvaultName: "no-such-vault" } }),
      message: /no-such-vault\.vault\.azure\.net \(HTTP 502\)/,
    },
    {
      leaf: "host-refuses",
      plant: () => here.aClass(),
      asked: async () => ({ environment: DIRECT, names: "127.0.0.77" }),
      message: /ECONNREFUSED/,
    },
    {
      leaf: "host-silent",
      plant: () => here.aClass(),
      asked: async () => ({ environment: { HTTPS_PROXY: here.silentProxy, https_proxy: here.silentProxy }, timeoutMs: 500 }),
      message: /does not answer/,
    },
    {
      leaf: "authority-unknown",
      plant: () => here.aClass(),
      asked: async () => ({ by: here.untrusting }),
      message: /signed by "Key Vault emulator|signed by ".+", which is not trusted/,
    },
    {
      leaf: "certificate-wrong",
      plant: () => here.aClass(),
      asked: async () => ({ environment: { HTTPS_PROXY: here.wrongProxy, https_proxy: here.wrongProxy } }),
      message: /ERR_TLS_CERT_ALTNAME_INVALID/,
    },
  ];
}
