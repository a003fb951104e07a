/**
 * Every number of the protocol: name, unit, reason. PROTOCOL.md §2.
 * The manifest holds the numbers that the operators of one federation may choose.
 */
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
export const PROTOCOL_VERSION = 1
/** The version of a sync, whose frames changed once. */
export const SYNC_VERSION = 2

/** Minutes of a time block. Each divides the epoch, so a block lies in exactly one epoch. */
export const BLOCK_SIZES_MIN = [5, 10, 20, 40, 80] as const
export const EPOCH_MIN = 80
export const EPOCH_MS = EPOCH_MIN * MINUTE_MS
export const EPOCHS_PER_DAY = 18
/** 16 + 8 + 4 + 2 + 1 blocks lie in an epoch. */
export const BLOCKS_PER_EPOCH = 31

/** Salt nodes never again give the salt of a block that ended this long ago or longer. */
export const SALT_WINDOW_MS = 180 * MINUTE_MS
/** A block may start this much later than one block size from now: lag 1 needs the next block, and clocks differ. */
export const SALT_AHEAD_MS = 2 * MINUTE_MS
/** The secrets of an epoch begin this long before the epoch: 80 min for a block one size ahead, and SALT_AHEAD_MS. */
export const EPOCH_OPENS_BEFORE_MS = 82 * MINUTE_MS
/** The secrets of an epoch end this long after the epoch: the salt window, and 2 min for a request under way. */
export const EPOCH_CLOSES_AFTER_MS = 182 * MINUTE_MS
/** Three hours of fixes need at most 81 distinct (size, n), in the worst alignment; 205 minutes need 92. */
export const SALTS_PER_REQUEST_MAX = 90
/** In every alignment, at most five 80-minute blocks end after now − 180 min and start before now + 82 min. */
export const EPOCHS_PER_ANSWER_MAX = 5

/** Bits of a row's lags: the row was made for the current block of a fix, or for the next block. */
export const LAG_CURRENT = 1
export const LAG_NEXT = 2

export const RISK_HASH_BYTES = 12
export const SECRET_BYTES = 32
export const HASH_BYTES = 32
export const KEY_BYTES = 32
export const SIGNATURE_BYTES = 64
/** The roster name is this many leading bytes of the roster's hash. */
export const ROSTER_NAME_BYTES = 8
/** A node claims a release by this many leading bytes of the release's id. */
export const RELEASE_NAME_BYTES = 8
export const SYNC_ID_BYTES = 16
export const USER_SECRET_BYTES = 32
/** A report code: 80 random bits. */
export const REPORT_CODE_BYTES = 10
/** A contribution to the spread without its outer layer: an ephemeral key, a tag, and 8 bytes. */
export const SPREAD_ITEM_BYTES = 32 + 16 + 8
/** A contribution to the spread: an item, sealed once more. */
export const SPREAD_SLIP_BYTES = 32 + 16 + SPREAD_ITEM_BYTES
/** Slips or items in one frame, so that a frame stays near 100 KiB. */
export const SPREAD_PART_MAX = 1_024
/** Parts of a batch: the most slips with the most dummies, and room for their noise. */
export const SPREAD_PARTS_MAX = 512

/** Rows of one user, epoch, block size and lag bit: 16 fixes × 3 layers. A person can fill it, and no person exceeds it. */
export const ROWS_PER_SHAPE_MAX = 48
/** Rows of one user and epoch: 16 fixes × 30. Follows from the ten shapes. */
export const ROWS_PER_EPOCH_MAX = 480
/** The central peer takes a deposit until this long after the end of its epoch, because the home rule delays some. */
export const DEPOSIT_WINDOW_MS = 48 * 60 * MINUTE_MS
/** Groups of one deposit: the 36 epochs of 48 h, the current epoch, the next epoch, and some room. */
export const SYNC_GROUPS_MAX = 48

/** Bytes of a frame. The largest request has 13 + 90 × 5 = 463. */
export const SALT_REQUEST_MAX_BYTES = 512
/** The largest answer has 7,654 bytes: five epochs of 31 entries and a path of 16, time, signature. */
export const SALT_ANSWER_MAX_BYTES = 8_192
/** A group element or a scalar of ristretto255. */
export const ELEMENT_BYTES = 32
/** Elements of one epoch in a request: an hour on foot, 12 fixes of three cells. */
export const EVALUATIONS_PER_EPOCH_MAX = 36
/** A token of RFC 9578, type 2. */
export const TOKEN_BYTES = 354
/** A sealed frame with a token is so much longer: version and token. */
export const PAID_FRAME_BYTES = 1 + TOKEN_BYTES
/** Tokens of evaluations that a device gets in a UTC day. */
export const TOKENS_PER_DAY_MAX = 16
/** Tokens of relays that a device gets in a UTC day: one relay, and another when that one is away. */
export const RELAY_TOKENS_PER_DAY = 2
/** The largest request has 15 + 5 × (4 + 36 × 32) + 354 = 6,149 bytes. */
export const EVALUATE_REQUEST_MAX_BYTES = 6_656
/** The largest answer has 14,318 bytes: five epochs of 36 elements, a proof, 35 part keys and a path of 16. */
export const EVALUATE_ANSWER_MAX_BYTES = 16_384
/** Parts of a shard: 3 of 7 has 21, 4 of 7 has 35. A node holds some of them and keeps the lines of all. */
export const PARTS_MAX = 35
/** A Merkle path of 16 covers 65,536 epochs, ten years. */
export const PATH_MAX = 16
/** Pins in a reply. The epochs that take deposits are 39, by a clock that is up to ten minutes off. */
export const PINS_MAX = 48
/** Bytes of a certificate or a step. */
export const ROSTER_MAX_BYTES = 262_144
/** Bytes of the largest certificate without changes. Changes have the other 32 KiB, so that a certificate always fits. */
export const SETTLED_MAX_BYTES = ROSTER_MAX_BYTES - 32_768
export const SHARDS_MAX = 4_096
/** Salt nodes that hold one shard. */
export const REPLICAS_MAX = 15
/** Bytes of a gossip message. The largest one carries a change signed by a quorum of 300 operators, 115 bytes each. */
export const GOSSIP_MAX_BYTES = 32_768
export const CHANGE_MAX_BYTES = 24_576
/** Bytes of evidence. The largest is a signed evaluation with its request and the part keys of one epoch: 21.8 KB. */
export const EVIDENCE_MAX_BYTES = 24_576
/** Changes in one roster, so that growth and loss stay gradual and a roster stays small. */
export const CHANGES_PER_ROSTER_MAX = 32
/** Nodes of one operator. More nodes add nothing, because no two of them replicate one shard. */
export const MEMBERS_PER_OPERATOR_MAX = 16
export const OPERATORS_MAX = 300
export const MEMBERS_MAX = 1_000
export const ADDRESSES_MAX = 8
/** Least accurate fix that a device keeps, m: the proposal's limit, and the widest that a federation may choose. */
export const ACCURACY_DEFAULT_M = 10
export const ACCURACY_MAX_M = 50
/** Origins of a federation's web apps: each authority of a country, or each maker of an app, may have one. */
export const APPS_MAX = 16
/** The state and the quota key of a seed, wrapped. */
export const WRAPPED_SEED_BYTES = 64
/** Bytes of a seeds request. FETCH has 80. */
export const SEEDS_REQUEST_MAX_BYTES = 128
/** Lines in one reply, 32 bytes each. A sheet has at most 65,536, and a day with a week of reserve has 144. */
export const LINES_PER_REPLY_MAX = 1_024
/** Bytes of a seeds reply. The largest has 1,024 lines and a signature. */
export const SEEDS_REPLY_MAX_BYTES = 36_864
export const SYNC_REQUEST_MAX_BYTES = 65_536
export const SYNC_REPLY_MAX_BYTES = 16_384
/** Bytes that a sealed sync has more, in either direction: version or status, key or nonce, tag. */
export const SEALED_FRAME_BYTES = 1 + 32 + 16
/** Characters of federation.json. A member with two addresses takes some 420, indented, and there are at most 1,000. */
export const MANIFEST_MAX_BYTES = 524_288

/** A fix has three layers, five block sizes and two lags. */
export const RISK_POINTS_PER_FIX = 3 * BLOCK_SIZES_MIN.length * 2
