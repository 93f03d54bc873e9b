import type { Identity } from '../model/intent.ts';

/** What a compilation depends on besides the intent. Constant while the daemon runs. */
export interface CompileContext {
  readonly identity: Identity;
  /** SHA-256 (hex) of the eBPF object file. */
  readonly programsDigest: string;
  /** Version of the fixed nftables rule text. */
  readonly nftDigest: string;
}
