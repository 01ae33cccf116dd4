/**
 * Preload for tests: `node --import ./simulators/whatsapp/src/trust.js …` makes the Baileys of that
 * process trust the simulator's certificate, by setting the root key that Baileys exports. The key
 * is read from WHATSAPP_SIM_ROOT_KEY (hex, 32 bytes), as the simulator's ready line prints it.
 * Never load it where a real account is linked.
 */
import { WA_CERT_DETAILS } from 'baileys'

const rootKey = process.env.WHATSAPP_SIM_ROOT_KEY ?? ''
if (!/^[0-9a-f]{64}$/i.test(rootKey)) {
  throw new Error('trust.js: set WHATSAPP_SIM_ROOT_KEY to the rootKey of the simulator\'s ready line (64 hex digits)')
}
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootKey, 'hex')
