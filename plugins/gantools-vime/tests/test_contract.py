"""What gantools promises its users of every plugin."""

from gantools.testing import assert_plugin_ok


def test_the_contract(gantools_cache, small):
    assert_plugin_ok("vime", {"vime": small})
