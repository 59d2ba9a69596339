# SPDX-License-Identifier: BSD-3-Clause
"""The Python that tests speak to the data plane with: STUN against RFC 5769, structs against sizes."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import stun  # noqa: E402
import table  # noqa: E402

# RFC 5769 sections 2.1 and 2.2; the password of both.
PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
REQUEST = bytes.fromhex(
    "00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74"
    "00240004 6e0001ff 80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014"
    "9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf")
RESPONSE = bytes.fromhex(
    "0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008"
    "0001a147 e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96")


class Stun(unittest.TestCase):
    def test_the_vectors_verify(self):
        for sample in (REQUEST, RESPONSE):
            message = stun.Parsed(sample)
            self.assertTrue(message.signed_by(PASSWORD))
            self.assertTrue(message.fingerprint_right())
            self.assertFalse(message.signed_by(PASSWORD[:-1]))
        changed = bytearray(REQUEST)
        changed[-30] ^= 1
        self.assertFalse(stun.Parsed(bytes(changed)).signed_by(PASSWORD))
        self.assertFalse(stun.Parsed(bytes(changed)).fingerprint_right())

    def test_the_request_is_built_as_in_the_vector(self):
        attributes = REQUEST[20:20 + 0x58 - 24 - 8].replace(b"evtj:h6vY   ", b"evtj:h6vY\0\0\0")
        built = stun.sign(stun.REQUEST, REQUEST[8:20], attributes, PASSWORD)
        self.assertEqual(len(built), len(REQUEST))
        self.assertTrue(stun.Parsed(built).signed_by(PASSWORD))
        # With the padding of the vector it is the vector.
        self.assertEqual(
            stun.sign(stun.REQUEST, REQUEST[8:20], REQUEST[20:20 + 0x58 - 32], PASSWORD), REQUEST)

    def test_the_mapped_address_of_the_vector(self):
        message = stun.Parsed(RESPONSE)
        self.assertEqual(stun.xor_address(message.attributes[stun.XOR_MAPPED_ADDRESS],
                                          message.transaction), ("192.0.2.1", 32853))

    def test_what_is_not_stun(self):
        for data in (b"", b"\x16\xfe\xfd" + bytes(30), REQUEST[:-1], REQUEST + b"\0"):
            with self.assertRaises(ValueError):
                stun.Parsed(data)


class Structs(unittest.TestCase):
    def test_sizes_and_places(self):
        self.assertEqual(len(table.pack("stn_header")), 24)
        self.assertEqual(len(table.room_put(1)), 160)
        self.assertEqual(len(table.webrtc_put(1, 1)), 224)
        self.assertEqual(len(table.ice_put(1, stun.Credentials(1))), 560)
        leg = table.unpack("stn_op_leg_put", table.webrtc_put(5, 9, "SPEAKER"))
        self.assertEqual((leg["leg_id"], leg["room_id"], leg["transport"], leg["role"]),
                         (5, 9, 2, 2))

    def test_addresses_go_both_ways(self):
        for host, port in (("10.1.2.3", 40000), ("fd00:1::2", 1)):
            packed = table.address(host, port)
            self.assertEqual(len(packed), 20)
            self.assertEqual(table.address_text(packed), (host, port))
        self.assertEqual(table.address("10.1.2.3", 40000)[:8], b"\x04\0\x9c\x40\x0a\x01\x02\x03")
        self.assertIsNone(table.address_text(table.address(None, 0)))

    def test_names_of_numbers(self):
        self.assertEqual(table.name_of("STATUS", 0), "ok")
        self.assertEqual(table.name_of("NOTICE", 2), "leg_moved")
        self.assertEqual(table.name_of("OP", 6), "leg_ice")

    def test_too_much_for_a_field(self):
        with self.assertRaises(ValueError):
            table.pack("stn_master_key", salt=bytes(17))


if __name__ == "__main__":
    unittest.main()
