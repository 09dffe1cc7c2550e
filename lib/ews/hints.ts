const HINTS: ReadonlyMap<string, string> = new Map([
  [
    'ErrorExceededSubscriptionCount',
    'the account holds as many subscriptions as the server allows: release some, or wait until forgotten ones expire.',
  ],
  [
    'ErrorExceededConnectionCount',
    'the account has as many open requests as the server allows: use fewer at a time.',
  ],
  ['ErrorAccessDenied', 'check the rights of the account on the mailbox, and its right to impersonate.'],
  [
    'ErrorImpersonateUserDenied',
    'the account may not impersonate this user: grant ApplicationImpersonation.',
  ],
  [
    'ErrorSubscriptionDelegateAccessNotSupported',
    'subscribe as the mailbox owner, or impersonate them: delegates cannot subscribe.',
  ],
  ['ErrorSubscriptionAccessDenied', 'only who made a subscription may use it: check the account.'],
  ['ErrorInvalidServerVersion', 'give the option version a lower value.'],
  ['ErrorInvalidSubscriptionRequest', 'name either folders, all in one mailbox, or allFolders.'],
  ['ErrorInvalidWatermark', 'the server does not know this watermark (any more): subscribe without one.'],
  [
    'ErrorInvalidPushSubscriptionUrl',
    'the server cannot post to callbackUrl: check the address, and that the server reaches it and trusts its certificate.',
  ],
  ['ErrorFolderNotFound', 'the folder does not exist: check the option folders.'],
  ['ErrorNonExistentMailbox', 'there is no such mailbox: check impersonate, or the mailbox of the folders.'],
]);

const STATUS_HINTS: ReadonlyMap<number, string> = new Map([
  [401, 'the sign-in was refused: check the token, or user name and password.'],
  [403, 'the account may not use EWS here: ask its administrator.'],
  [404, 'there is no EWS here: its URL usually ends with /EWS/Exchange.asmx.'],
  [405, 'there is no EWS here: its URL usually ends with /EWS/Exchange.asmx.'],
  [407, 'a proxy wants a sign-in of its own.'],
  [456, 'the account is locked: sign in to it with a browser, or ask its administrator.'],
]);

/** What the caller can do about an EWS code, one sentence. */
export function hintOf(code: string): string | undefined {
  return HINTS.get(code);
}

/** What the caller can do about an HTTP status, one sentence. */
export function statusHintOf(status: number): string | undefined {
  return STATUS_HINTS.get(status);
}
