// Values that nobody should send, and some that only look so.
export const injections = ["' OR 1=1; --", '"; DROP TABLE products; --', '\r\nX-Evil: 1', '${jndi:ldap://x}', '../../etc/passwd', '{{7*7}}',
    '\u202e\ufffd', '*', '%', '\\', '<script>alert(1)</script>'];

/** Texts for a parameter of a query. */
export const texts = ['', ' ', 'null', 'undefined', 'NaN', '-1', '0', '1', '1e3', '1.5', '+1', '0x10', '99999999999999999999', '-99999999999999999999',
    'true', 'TRUE', 'yes', '[]', '{}', 'x'.repeat(300), 'x'.repeat(2000), 'é'.repeat(150), ...injections];

/** What is not percent-encoded UTF-8, as it goes over the wire. */
export const wrongEncodings = ['%', '%z1', '%ff', '%c3%28', '%ed%a0%80', '%00', 'a%00b'];

/** JSON values of every type for a member of a body. */
export const members = [null, true, 0, -1, 1, 1.5, 1e300, Number.MAX_SAFE_INTEGER, '', ' ', '1', 'x'.repeat(500), [], [null], [[]], ['x'], {}, { x: 1 },
    ...injections];

/** Texts that are no JSON, or more than one. */
export const brokenBodies = ['', '{', '}', '{"a":}', '{"a":1,}', "{'a':1}", 'NaN', '{"a":1}{"b":2}', '\u0000', '[', '{"a":"\u0001"}', '{"\\ud800":1}',
    '['.repeat(5000), '{"a":'.repeat(5000), Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), Buffer.from([0xef, 0xbb, 0xbf, 0x7b])];

/** JSON that is no object. */
export const wrongRoots = ['null', 'true', '7', '"text"', '[]', '[{}]'];
