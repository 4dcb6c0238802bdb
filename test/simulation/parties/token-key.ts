import { createPrivateKey, type KeyObject } from "node:crypto";

/**
 * Signs the tokens of every world, so that a seed gives the same tokens each time. The key is public and exists only for the simulation. It
 * is short because this makes it fast.
 */
export const TOKEN_KEY: KeyObject = createPrivateKey({
  format: "jwk",
  key: {
    kty: "RSA",
    n: "lB4IReSsinU12BSX2PYwQ4y0piMoHUdZM73DEY5y7pIr1JsZMtdblCPAh02TqAiI2yD5QL21jugHl5l0juzgGlMTQhxCtGGdpHfWkBBZegeohlgb5uIkCI51I4XR0CjwBF2O4KjEafWktAoVcvANyqZh303rA00rsi8dsV1gzr0",
    e: "AQAB",
    d: "caK45iaS2YcjUCw8c5AtZyXEUtIWLKBYp4Gm7wlC1BYA2pRDuOXQtM7ZHvU9m2Uw2i1qDWl-qa0KZhyteBnztBPID8la4QQD743MgPkSyy2Sqx_HSCTmvSOpGyA1xXS4V_Z2fXpKANoEAKLST6y_YAliEybCjZbHZHqSmo46GAE",
    p: "xR_IYyEnWbV2ffEzsIh68poqu5wfKA4Qs36lyea3kye8NZ4uWQItYXJv8CPy4xrZKReDt9B8ZA5Xz1dhdaxTfQ",
    q: "wFspJfQAJRYl0iljrXkTSI1bO3aoGP8wTCpuNWBVlrr6uxJcm5A-GzKo6zV4Emly5AvaGGqqTMKgYdtNvfjMQQ",
    dp: "M51G0u3zZ8Hj7MYjSq3xw2QqnEUcw1grd1RKBLushZN57HAmope3WjSkqrQ-_Mgi5GeLza2BZJF83IV8t1sP4Q",
    dq: "OdUusfKCeKQICv_WsDlOyul1HJO4RouzAbNgHzwvf3oIGGaU4VCk25iHoPAaga6ilF3b3Kt1OE7r2YAOB6feAQ",
    qi: "TkvncspZaRO8DAyU9xw47CLFlaCN3EZAX3IadmVlJw4wDTGCLI-I9TTSMeeNXMPsEtB_8WDjHvsqFTavMpLprQ",
  },
});
