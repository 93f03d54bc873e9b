# SPDX-License-Identifier: Apache-2.0
# The flow rules' test on a kernel with cls_flower: built here, run in guests (test/vm/flower.vm.ts).
add_executable(flower_kernel_test flower_kernel_test.c $<TARGET_OBJECTS:test_support>
  $<TARGET_OBJECTS:eswitch_objects>)
target_link_libraries(flower_kernel_test PRIVATE test_support)
